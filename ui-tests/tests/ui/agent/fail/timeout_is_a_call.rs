#[dooers::agent(timeout = std::time::Duration::from_secs(5))]
async fn support() {}

fn main() {}
