#[dooers::tool]
async fn weather(city: &String) -> usize {
    city.len()
}

fn main() {}
