use dooers::prelude::*;

#[dooers::agent]
async fn support<const N: usize>(request: WorkerRequest) -> String {
    request.message_prefix(N).to_owned()
}

fn main() {}
