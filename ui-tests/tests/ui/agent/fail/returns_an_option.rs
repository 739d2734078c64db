use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Option<String> {
    Some(request.message)
}

fn main() {}
