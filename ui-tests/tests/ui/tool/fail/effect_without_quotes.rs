#[dooers::tool(effect = read)]
async fn weather() {}

fn main() {}
