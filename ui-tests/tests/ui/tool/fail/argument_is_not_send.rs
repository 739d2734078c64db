use std::rc::Rc;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City(#[serde(skip)] Option<Rc<u8>>);

#[dooers::tool]
async fn weather(city: City, days: u8) -> bool {
    city.0.is_some() && days > 0
}

fn main() {}
