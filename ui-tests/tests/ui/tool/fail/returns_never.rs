#[dooers::tool]
async fn weather() -> ! {
    loop {
        std::future::pending::<()>().await;
    }
}

fn main() {}
