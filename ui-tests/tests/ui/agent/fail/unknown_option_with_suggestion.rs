#[dooers::agent(nmae = "help")]
async fn support() {}

fn main() {}
