#[dooers::tool]
async fn weather(#[tool(default = String::from("Paris"))] days: String) {
    let _ = days;
}

fn main() {}
