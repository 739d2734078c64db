#[dooers::tool(default = 3)]
async fn weather() {}

fn main() {}
