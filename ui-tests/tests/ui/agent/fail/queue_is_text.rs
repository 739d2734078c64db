#[dooers::agent(queue = "32")]
async fn support() {}

fn main() {}
