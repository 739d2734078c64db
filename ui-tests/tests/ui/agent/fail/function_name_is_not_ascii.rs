#[dooers::agent]
async fn größe() {}

fn main() {}
