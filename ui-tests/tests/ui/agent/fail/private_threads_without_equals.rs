#[dooers::agent(private_threads: false)]
async fn support() {}

fn main() {}
