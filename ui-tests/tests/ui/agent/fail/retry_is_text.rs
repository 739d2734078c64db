#[dooers::agent(retry = "2")]
async fn support() {}

fn main() {}
