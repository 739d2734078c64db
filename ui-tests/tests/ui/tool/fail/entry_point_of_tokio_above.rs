#[tokio::main]
#[dooers::tool]
async fn weather() -> String {
    "sunny".to_owned()
}

fn main() {}
