#[dooers::tool]
async fn weather(#[tool(default = [1, "two"])] days: Vec<u8>) {
    let _ = days;
}

fn main() {}
