#[dooers::agent(on_busy = "interupt")]
async fn support() {}

fn main() {}
