#[dooers::agent(timeout = "90")]
async fn support() {}

fn main() {}
