#[dooers::tool]
async fn weather(#[tool(default = -1)] days: u8) {
    let _ = days;
}

fn main() {}
