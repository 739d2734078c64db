#[dooers::agent(retry = 2s)]
async fn support() {}

fn main() {}
