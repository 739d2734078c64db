use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> (Reply, Reply) {
    (Reply::text(request.message), Reply::text("and more"))
}

fn main() {}
