#[dooers::tool]
async fn weather(cities: &[String]) -> usize {
    cities.len()
}

fn main() {}
