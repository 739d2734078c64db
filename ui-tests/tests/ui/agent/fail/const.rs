use dooers::prelude::*;

#[dooers::agent]
const async fn support(request: WorkerRequest) -> String {
    request.message
}

fn main() {}
