#[dooers::agent(timeout = "1.5h")]
async fn support() {}

fn main() {}
