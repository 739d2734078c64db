#[dooers::tool(approve = 5)]
async fn weather() {}

fn main() {}
