#[dooers::tool]
async fn weather(city: String, #[serde(default)] days: u8) -> String {
    format!("{city} {days}")
}

fn main() {}
