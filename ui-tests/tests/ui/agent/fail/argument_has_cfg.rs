use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest, #[cfg(unix)] response: WorkerResponse) {
    response.text(request.message);
}

fn main() {}
