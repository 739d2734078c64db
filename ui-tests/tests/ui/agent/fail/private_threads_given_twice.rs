#[dooers::agent(private_threads, private_threads = false)]
async fn support() {}

fn main() {}
