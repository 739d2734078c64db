#[dooers::tool(effect = "raed")]
async fn weather() {}

fn main() {}
