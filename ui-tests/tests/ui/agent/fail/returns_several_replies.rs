use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Vec<Reply> {
    vec![Reply::text(request.message)]
}

fn main() {}
