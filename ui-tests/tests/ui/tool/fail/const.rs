#[dooers::tool]
const async fn weather() {}

fn main() {}
