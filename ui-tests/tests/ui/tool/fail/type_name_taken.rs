pub mod weather {}

#[dooers::tool]
pub async fn weather() {}

fn main() {}
