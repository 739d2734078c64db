#[dooers::tool(timeout = 10)]
async fn weather() {}

fn main() {}
