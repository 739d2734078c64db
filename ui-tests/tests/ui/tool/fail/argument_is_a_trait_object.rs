#[dooers::tool]
async fn weather(city: &dyn Send) {
    let _ = city;
}

fn main() {}
