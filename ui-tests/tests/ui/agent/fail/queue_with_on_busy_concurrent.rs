#[dooers::agent(on_busy = "concurrent", queue = 32)]
async fn support() {}

fn main() {}
