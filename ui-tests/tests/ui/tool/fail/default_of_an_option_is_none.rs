#[dooers::tool]
async fn weather(#[tool(default = None)] days: Option<u8>) {
    let _ = days;
}

fn main() {}
