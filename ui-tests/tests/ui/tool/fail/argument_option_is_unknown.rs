#[dooers::tool]
async fn weather(#[tool(lazy)] days: u8) {
    let _ = days;
}

fn main() {}
