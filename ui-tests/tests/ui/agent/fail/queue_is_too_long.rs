#[dooers::agent(queue = 20_000)]
async fn support() {}

fn main() {}
