#[dooers::tool]
#[dooers::agent]
async fn weather() {}

fn main() {}
