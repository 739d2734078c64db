#[dooers::agent(30)]
async fn support() {}

fn main() {}
