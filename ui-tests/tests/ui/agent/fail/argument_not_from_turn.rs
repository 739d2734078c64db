use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest, loud: bool) -> String {
    if loud { request.message.to_uppercase() } else { request.message }
}

fn main() {}
