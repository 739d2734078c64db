#[dooers::tool]
#[tokio::test]
async fn weather() {}

fn main() {}
