#[dooers::agent(default = true)]
async fn support() {}

fn main() {}
