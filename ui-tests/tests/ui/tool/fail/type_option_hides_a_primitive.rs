#[dooers::tool(type = str)]
async fn weather() {}

fn main() {}
