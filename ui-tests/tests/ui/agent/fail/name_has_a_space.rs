#[dooers::agent(name = "help desk")]
async fn support() {}

fn main() {}
