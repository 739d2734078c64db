#[dooers::tool(approve = "shop::is_large")]
async fn weather() {}

fn main() {}
