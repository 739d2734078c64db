#[dooers::agent]
async fn support() -> ! {
    std::future::pending().await
}

fn main() {}
