#[dooers::tool(name = "shop.refund")]
async fn weather() {}

fn main() {}
