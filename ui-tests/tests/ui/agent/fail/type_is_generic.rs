#[dooers::agent(type = Support<String>)]
async fn support() {}

fn main() {}
