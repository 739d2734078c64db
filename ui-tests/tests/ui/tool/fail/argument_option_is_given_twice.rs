#[dooers::tool]
async fn weather(#[tool(default = 3, default = 4)] days: u8) {
    let _ = days;
}

fn main() {}
