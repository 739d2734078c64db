#[dooers::tool]
async fn main() {}
