use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Result<usize> {
    Ok(request.message.len())
}

fn main() {}
