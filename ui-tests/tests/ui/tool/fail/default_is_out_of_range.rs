#[dooers::tool]
async fn weather(#[tool(default = 300)] days: u8) {
    let _ = days;
}

fn main() {}
