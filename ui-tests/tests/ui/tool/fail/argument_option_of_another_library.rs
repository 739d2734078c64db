#[dooers::tool]
async fn weather(#[tool(description = "How many.")] days: u8) {
    let _ = days;
}

fn main() {}
