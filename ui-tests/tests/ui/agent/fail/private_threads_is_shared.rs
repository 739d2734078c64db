#[dooers::agent(shared)]
async fn support() {}

fn main() {}
