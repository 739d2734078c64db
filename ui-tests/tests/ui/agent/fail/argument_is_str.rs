#[dooers::agent]
async fn support(message: &str) -> String {
    message.to_uppercase()
}

fn main() {}
