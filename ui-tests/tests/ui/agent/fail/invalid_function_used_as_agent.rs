use dooers::prelude::*;

#[dooers::agent]
fn support(request: WorkerRequest) -> String {
    request.message
}

fn serve<A: dooers::Agent>() {}

fn main() {
    serve::<support>();
    support(WorkerRequest::new("hello"));
}
