#[dooers::tool]
async fn weather(city: String, r#city: String) -> String {
    city
}

fn main() {}
