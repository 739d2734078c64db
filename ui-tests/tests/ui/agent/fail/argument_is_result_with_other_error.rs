use dooers::prelude::*;

#[dooers::agent]
async fn support(request: Result<WorkerRequest, String>) -> String {
    format!("{request:?}")
}

fn main() {}
