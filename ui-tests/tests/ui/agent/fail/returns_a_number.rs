use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> usize {
    request.message.len()
}

fn main() {}
