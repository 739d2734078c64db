#[dooers::agent(queue = 0)]
async fn support() {}

fn main() {}
