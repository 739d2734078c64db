#[dooers::agent(default name = "help")]
async fn support() {}

fn main() {}
