use dooers::prelude::*;

#[dooers::tool]
async fn weather(request: WorkerRequest) -> String {
    request.message
}

fn main() {}
