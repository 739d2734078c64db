#[dooers::agent]
#[dooers::agent(name = "help")]
async fn support() {}

fn main() {}
