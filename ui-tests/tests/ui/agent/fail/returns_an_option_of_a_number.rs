use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Option<usize> {
    Some(request.message.len())
}

fn main() {}
