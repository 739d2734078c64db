#[dooers::tool]
async fn weather() -> impl Clone {
    7
}

fn main() {}
