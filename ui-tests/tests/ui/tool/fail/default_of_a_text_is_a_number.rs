#[dooers::tool]
async fn weather(#[tool(default = 3)] days: String) {
    let _ = days;
}

fn main() {}
