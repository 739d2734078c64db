#[dooers::agent(on_busy = reject)]
async fn support() {}

fn main() {}
