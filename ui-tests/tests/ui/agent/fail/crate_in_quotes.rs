#[dooers::agent(crate = "::dooers")]
async fn support() {}

fn main() {}
