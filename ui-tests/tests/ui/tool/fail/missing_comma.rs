#[dooers::tool(strict name = "a")]
async fn weather() {}

fn main() {}
