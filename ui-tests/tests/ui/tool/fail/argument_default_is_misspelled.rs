#[dooers::tool]
async fn weather(#[tool(defualt = 3)] days: u8) {
    let _ = days;
}

fn main() {}
