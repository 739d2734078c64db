#[derive(serde::Deserialize, schemars::JsonSchema)]
enum Unit {
    Celsius,
}

#[dooers::tool]
async fn weather(#[tool(default = Unit::Celsius)] unit: Unit) {
    let Unit::Celsius = unit;
}

fn main() {}
