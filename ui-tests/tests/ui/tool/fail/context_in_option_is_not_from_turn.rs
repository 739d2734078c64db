#[dooers::tool]
async fn weather(#[tool(context)] city: Option<String>) -> Option<String> {
    city
}

fn main() {}
