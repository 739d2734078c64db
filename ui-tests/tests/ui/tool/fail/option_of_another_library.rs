#[dooers::tool(description = "Looks up the weather.")]
async fn weather() {}

fn main() {}
