#[dooers::agent("help")]
async fn support() {}

fn main() {}
