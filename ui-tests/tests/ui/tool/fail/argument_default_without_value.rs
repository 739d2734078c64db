#[dooers::tool]
async fn weather(#[tool(default)] days: u8) {
    let _ = days;
}

fn main() {}
