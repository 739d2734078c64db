use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest, loud: Option<bool>) -> String {
    format!("{} {loud:?}", request.message)
}

fn main() {}
