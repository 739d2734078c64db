struct City;

#[dooers::tool]
async fn weather(#[tool(default = "Paris")] city: Option<City>) -> bool {
    city.is_some()
}

fn main() {}
