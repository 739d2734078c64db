#[dooers::agent(private_threads = !cfg!(debug_assertions))]
async fn support() {}

fn main() {}
