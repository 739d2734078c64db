#[dooers::tool]
async fn weather(#[tool(default = "yes")] days: bool) {
    let _ = days;
}

fn main() {}
