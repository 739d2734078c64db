#[dooers::agent]
async fn support(image: &[u8]) -> String {
    image.len().to_string()
}

fn main() {}
