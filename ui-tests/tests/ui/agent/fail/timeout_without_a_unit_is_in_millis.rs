#[dooers::agent(timeout = "90000")]
async fn support() {}

fn main() {}
