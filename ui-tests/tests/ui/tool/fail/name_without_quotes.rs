#[dooers::tool(name = weather)]
async fn weather() {}

fn main() {}
