#[dooers::tool]
async fn weather<T>(city: T) {
    let _ = city;
}

fn main() {}
