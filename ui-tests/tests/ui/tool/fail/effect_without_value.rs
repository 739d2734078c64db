#[dooers::tool(effect)]
async fn weather() {}

fn main() {}
