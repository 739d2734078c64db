#[dooers::agent(private_threads = "yes")]
async fn support() {}

fn main() {}
