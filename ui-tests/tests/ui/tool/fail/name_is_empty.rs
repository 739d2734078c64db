#[dooers::tool(name = "")]
async fn weather() {}

fn main() {}
