use std::rc::Rc;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City {
    #[serde(skip)]
    count: Option<Rc<u8>>,
}

#[dooers::tool]
async fn weather(city: City, days: u8) -> bool {
    city.count.is_some() && days > 0
}

fn main() {}
