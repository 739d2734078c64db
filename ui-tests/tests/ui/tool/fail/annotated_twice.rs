#[dooers::tool]
#[dooers::tool]
async fn weather() {}

fn main() {}
