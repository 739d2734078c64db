#[derive(serde::Deserialize)]
struct City;

#[dooers::tool]
async fn weather(cities: Vec<City>) -> usize {
    cities.len()
}

fn main() {}
