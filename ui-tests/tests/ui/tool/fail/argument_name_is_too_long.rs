#[dooers::tool]
async fn weather(city_city_city_city_city_city_city_city_city_city_city_city_city_city_: u8) -> u8 {
    city_city_city_city_city_city_city_city_city_city_city_city_city_city_
}

fn main() {}
