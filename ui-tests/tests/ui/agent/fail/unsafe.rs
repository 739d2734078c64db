use dooers::prelude::*;

#[dooers::agent]
async unsafe fn support(request: WorkerRequest) -> String {
    request.message
}

fn main() {}
