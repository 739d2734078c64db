#[dooers::tool]
async fn weather((city, days): (String, u8)) -> String {
    format!("{city} {days}")
}

fn main() {}
