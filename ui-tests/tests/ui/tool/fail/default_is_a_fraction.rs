#[dooers::tool]
async fn weather(#[tool(default = 3.5)] days: u8) {
    let _ = days;
}

fn main() {}
