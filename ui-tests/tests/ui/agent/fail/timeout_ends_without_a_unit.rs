#[dooers::agent(timeout = "1m30")]
async fn support() {}

fn main() {}
