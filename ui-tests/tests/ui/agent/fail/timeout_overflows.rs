#[dooers::agent(timeout = "99999999999999999999h")]
async fn support() {}

fn main() {}
