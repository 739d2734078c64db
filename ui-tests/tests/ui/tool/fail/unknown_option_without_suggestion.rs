#[dooers::tool(colour = "red")]
async fn weather() {}

fn main() {}
