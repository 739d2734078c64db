#[dooers::tool]
async fn weather<'a>(city: String) {
    let _ = city;
}

fn main() {}
