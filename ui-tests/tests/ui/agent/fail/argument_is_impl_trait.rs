#[dooers::agent]
async fn support(request: Option<impl Into<String>>) -> String {
    request.map(Into::into).unwrap_or_default()
}

fn main() {}
