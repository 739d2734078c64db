#[dooers::agent(queue = 0, on_busy = "reject")]
async fn support() {}

fn main() {}
