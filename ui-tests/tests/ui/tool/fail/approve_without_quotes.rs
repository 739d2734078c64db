#[dooers::tool(approve = always)]
async fn weather() {}

fn main() {}
