#[dooers::tool]
async fn weather(_: String) {}

fn main() {}
