use dooers::prelude::*;

#[dooers::agent]
fn support(request: WorkerRequest) -> String {
    request.message
}

fn main() {}
