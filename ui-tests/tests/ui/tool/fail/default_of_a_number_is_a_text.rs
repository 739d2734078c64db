#[dooers::tool]
async fn weather(#[tool(default = "many")] days: f64) {
    let _ = days;
}

fn main() {}
