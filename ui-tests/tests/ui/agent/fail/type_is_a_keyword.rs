#[dooers::agent(type = self)]
async fn support() {}

fn main() {}
