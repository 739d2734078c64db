#[dooers::agent(timeout = "5 minutes")]
async fn support() {}

fn main() {}
