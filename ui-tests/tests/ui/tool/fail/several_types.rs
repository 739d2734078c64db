// errors: 3
struct City;
struct Weather;

#[dooers::tool]
async fn weather(city: City, #[tool(context)] days: u8) -> Weather {
    let City = city;
    let _ = days;
    Weather
}

fn main() {}
