#[dooers::tool]
async fn weather(#[tool(default = "3")] days: Option<u8>) {
    let _ = days;
}

fn main() {}
