use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> String
where
    WorkerRequest: Clone,
{
    request.message
}

fn main() {}
