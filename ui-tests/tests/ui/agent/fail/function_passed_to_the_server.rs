use dooers::prelude::*;

#[dooers::agent]
async fn support(request: WorkerRequest) -> String {
    request.message
}

fn main() {
    let _ = WorkerServer::new(WorkerConfig::new()).agent(support);
}
