#[derive(serde::Deserialize)]
struct City;

#[dooers::tool]
async fn weather(city: City) {
    let City = city;
}

fn main() {}
