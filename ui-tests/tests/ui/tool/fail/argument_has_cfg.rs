#[dooers::tool]
async fn weather(city: String, #[cfg(unix)] days: u8) -> String {
    format!("{city} {days}")
}

fn main() {}
