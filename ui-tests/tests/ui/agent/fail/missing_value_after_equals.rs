#[dooers::agent(type =)]
async fn support() {}

fn main() {}
