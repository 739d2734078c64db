async fn weather() {}

fn main() {
    let _ = dooers::Tools::new().with::<weather>();
}
