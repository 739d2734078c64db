#[dooers::agent(agent::name = "help")]
async fn support() {}

fn main() {}
