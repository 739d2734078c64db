#[dooers::agent(name = "help".trim())]
async fn support() {}

fn main() {}
