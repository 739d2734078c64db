#[dooers::tool]
async fn größe() {}

fn main() {}
