#[dooers::agent(name = "help", default, name = "support")]
async fn support() {}

fn main() {}
