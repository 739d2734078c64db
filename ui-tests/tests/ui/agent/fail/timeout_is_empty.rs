#[dooers::agent(timeout = "")]
async fn support() {}

fn main() {}
