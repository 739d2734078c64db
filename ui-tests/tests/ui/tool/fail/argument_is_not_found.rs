#[dooers::tool]
async fn weather(city: City) -> String {
    city.to_string()
}

fn main() {}
