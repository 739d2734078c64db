#[dooers::agent(type = "Support")]
async fn support() {}

fn main() {}
