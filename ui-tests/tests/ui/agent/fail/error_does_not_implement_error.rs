use dooers::prelude::*;

struct NoRoute;

#[dooers::agent]
async fn support(request: WorkerRequest) -> Result<String, NoRoute> {
    if request.message.is_empty() { Err(NoRoute) } else { Ok(request.message) }
}

fn main() {}
