#[dooers::tool(approve = true)]
async fn weather() {}

fn main() {}
