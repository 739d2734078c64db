#[dooers::tool(approve)]
async fn weather() {}

fn main() {}
