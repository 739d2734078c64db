#[dooers::agent(name = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghijk")]
async fn support() {}

fn main() {}
