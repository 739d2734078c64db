#[dooers::tool(crate = doers)]
async fn weather(city: String) -> String {
    city
}

fn main() {}
