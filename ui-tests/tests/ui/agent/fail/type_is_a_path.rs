#[dooers::agent(type = agents::Support)]
async fn support() {}

fn main() {}
