#[dooers::tool(name = "a", name = "b")]
async fn weather() {}

fn main() {}
