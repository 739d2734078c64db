#[dooers::tool(name = 5)]
async fn weather() {}

fn main() {}
