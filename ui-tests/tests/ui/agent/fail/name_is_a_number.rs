#[dooers::agent(name = 5)]
async fn support() {}

fn main() {}
