#[dooers::agent(retry = 1000)]
async fn support() {}

fn main() {}
