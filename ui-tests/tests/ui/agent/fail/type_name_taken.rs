pub mod support {}

#[dooers::agent]
pub async fn support() {}

fn main() {}
