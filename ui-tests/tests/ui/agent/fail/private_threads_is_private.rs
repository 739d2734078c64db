#[dooers::agent(private, name = "diary")]
async fn support() {}

fn main() {}
