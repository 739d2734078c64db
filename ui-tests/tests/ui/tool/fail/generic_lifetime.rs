#[dooers::tool]
async fn weather<'a>(city: &'a str) {
    let _ = city;
}

fn main() {}
