#[dooers::agent]
async fn support() -> impl std::fmt::Display {
    1
}

fn main() {}
