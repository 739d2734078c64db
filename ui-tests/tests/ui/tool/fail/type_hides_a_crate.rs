#[dooers::tool]
async fn serde_json() {}

fn main() {}
