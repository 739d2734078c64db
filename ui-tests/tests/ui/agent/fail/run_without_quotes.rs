#[dooers::agent(run = manual)]
async fn support() {}

fn main() {}
