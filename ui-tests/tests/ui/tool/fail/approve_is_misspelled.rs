#[dooers::tool(approve = "alwyas")]
async fn weather() {}

fn main() {}
