#[dooers::tool]
async fn weather(#[tool(context)] city: String) -> String {
    city
}

fn main() {}
