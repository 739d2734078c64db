#[dooers::agent(retry = -1)]
async fn support() {}

fn main() {}
