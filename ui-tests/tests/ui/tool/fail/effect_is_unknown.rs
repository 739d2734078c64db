#[dooers::tool(effect = "network")]
async fn weather() {}

fn main() {}
