#[dooers::tool(timeout = "25h")]
async fn weather() {}

fn main() {}
