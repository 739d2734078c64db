#[dooers::agent(name = "..")]
async fn support() {}

fn main() {}
