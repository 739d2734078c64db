#[dooers::agent(timeout = "25h")]
async fn support() {}

fn main() {}
