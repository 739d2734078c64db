#[dooers::agent(description = "Answers questions")]
async fn support() {}

fn main() {}
