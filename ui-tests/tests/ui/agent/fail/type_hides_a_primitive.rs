fn length(text: &str) -> usize {
    text.len()
}

#[dooers::agent]
async fn str() -> String {
    length("text").to_string()
}

fn main() {}
