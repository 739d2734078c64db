#[tokio::main]
#[dooers::agent]
async fn support() -> String {
    "One moment.".to_owned()
}

fn main() {}
