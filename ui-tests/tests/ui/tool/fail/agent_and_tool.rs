#[dooers::agent]
#[dooers::tool]
async fn weather() {}

fn main() {}
