use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> String {
    request.message
}

#[dooers::agent]
async fn support(request: WorkerRequest) -> String {
    request.message
}

fn serve<A: dooers::Agent>() {}

fn main() {
    serve::<support>();
}
