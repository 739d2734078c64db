#[dooers::agent(private_threads =)]
async fn support() {}

fn main() {}
