use dooers::prelude::*;

#[dooers::agent]
async fn support(request: &WorkerRequest) -> String {
    request.message.clone()
}

fn main() {}
