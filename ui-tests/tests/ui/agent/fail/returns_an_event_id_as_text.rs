use dooers::prelude::*;

#[dooers::agent]
async fn support(response: WorkerResponse) -> Result<String> {
    response.text("hello").await
}

fn main() {}
