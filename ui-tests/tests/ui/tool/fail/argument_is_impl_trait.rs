#[dooers::tool]
async fn weather(city: impl Into<String>) -> String {
    city.into()
}

fn main() {}
