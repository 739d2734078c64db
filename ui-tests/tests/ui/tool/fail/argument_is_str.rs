#[dooers::tool]
async fn weather(city: &str) -> usize {
    city.len()
}

fn main() {}
