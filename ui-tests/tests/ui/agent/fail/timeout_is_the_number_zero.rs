#[dooers::agent(timeout = 0)]
async fn support() {}

fn main() {}
