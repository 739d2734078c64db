#[dooers::agent(timeout = 90s)]
async fn support() {}

fn main() {}
