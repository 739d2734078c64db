#[dooers::tool]
async fn weather() -> Wether {
    "sunny"
}

fn main() {}
