use dooers::prelude::*;

#[dooers::agent]
async fn support((request, loud): (WorkerRequest, bool)) -> String {
    format!("{} {loud:?}", request.message)
}

fn main() {}
