#[dooers::agent]
async fn support<'a>(request: std::borrow::Cow<'a, str>) {
    drop(request);
}

fn main() {}
