use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest, more: ...) -> String {
    let mut more = more;
    request.message
}

fn main() {}
