#[dooers::tool]
async fn weather() -> std::result::Result<String, Box<dyn std::error::Error>> {
    Ok(String::new())
}

fn main() {}
