#[dooers::agent]
async fn support(request: &mut dooers::WorkerRequest) -> String {
    std::mem::take(&mut request.message)
}

fn main() {}
