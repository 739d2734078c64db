#[dooers::tool("weather")]
async fn weather() {}

fn main() {}
