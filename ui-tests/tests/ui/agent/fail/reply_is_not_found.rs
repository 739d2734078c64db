use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Result<Answer> {
    Ok(request.message.into())
}

fn main() {}
