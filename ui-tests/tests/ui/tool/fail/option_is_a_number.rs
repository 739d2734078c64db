#[dooers::tool(3)]
async fn weather() {}

fn main() {}
