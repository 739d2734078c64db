#[dooers::tool(strct)]
async fn weather() {}

fn main() {}
