#[dooers::agent(type = bool)]
async fn on_call() {}

fn main() {}
