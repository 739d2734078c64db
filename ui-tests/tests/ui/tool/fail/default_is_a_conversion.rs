#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City(String);

#[dooers::tool]
async fn weather(#[tool(default = City("Paris".to_owned()))] city: City) -> String {
    city.0
}

fn main() {}
