#[dooers::agent(run = "auto")]
async fn support() {}

fn main() {}
