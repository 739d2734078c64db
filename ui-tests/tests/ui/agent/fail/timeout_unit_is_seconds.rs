#[dooers::agent(timeout = "90 seconds")]
async fn support() {}

fn main() {}
