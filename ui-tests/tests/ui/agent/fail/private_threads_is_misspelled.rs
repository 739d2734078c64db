#[dooers::agent(private_thread)]
async fn support() {}

fn main() {}
