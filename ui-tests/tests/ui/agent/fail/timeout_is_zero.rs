#[dooers::agent(timeout = "0s")]
async fn support() {}

fn main() {}
