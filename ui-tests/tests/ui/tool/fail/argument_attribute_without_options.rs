#[dooers::tool]
async fn weather(#[tool] days: u8) {
    let _ = days;
}

fn main() {}
