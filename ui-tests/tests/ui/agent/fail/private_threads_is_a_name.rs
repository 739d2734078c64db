#[dooers::agent(private_threads = off)]
async fn support() {}

fn main() {}
