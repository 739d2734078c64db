#[dooers::tool(timeout = "0s")]
async fn weather() {}

fn main() {}
