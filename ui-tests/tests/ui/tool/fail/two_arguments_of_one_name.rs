#[dooers::tool]
async fn weather(city: String, days: u8, city: String) -> String {
    format!("{city} {days}")
}

fn main() {}
