#[dooers::agent(on_busy = "panic")]
async fn support() {}

fn main() {}
