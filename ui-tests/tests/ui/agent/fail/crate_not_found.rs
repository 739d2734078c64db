#[dooers::agent(crate = doers)]
async fn support() {}

fn main() {}
