#[dooers::tool]
async fn weather(#[tool = "context"] days: u8) {
    let _ = days;
}

fn main() {}
