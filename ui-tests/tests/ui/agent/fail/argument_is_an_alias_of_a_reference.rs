use dooers::prelude::*;

type Request<'a> = &'a WorkerRequest;

#[dooers::agent]
async fn support(request: Request<'_>) -> String {
    request.message.clone()
}

fn main() {}
