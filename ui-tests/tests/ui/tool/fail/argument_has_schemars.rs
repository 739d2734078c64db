#[dooers::tool]
async fn weather(city: String, #[schemars(range(min = 1))] days: u8) -> String {
    format!("{city} {days}")
}

fn main() {}
