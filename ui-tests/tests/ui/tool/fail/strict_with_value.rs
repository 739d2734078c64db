#[dooers::tool(strict = true)]
async fn weather() {}

fn main() {}
