#[dooers::agent(color = "red")]
async fn support() {}

fn main() {}
