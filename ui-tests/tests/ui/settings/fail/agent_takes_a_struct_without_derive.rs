use dooers::prelude::*;

#[derive(Clone)]
struct Tuning {}

#[dooers::agent]
async fn support(request: WorkerRequest, tuning: Tuning) {
    let _ = (request, tuning);
}

fn main() {}
