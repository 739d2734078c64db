use dooers::prelude::*;

pub struct Support;

impl Support {
    #[dooers::agent]
    pub async fn answer(request: WorkerRequest) -> String {
        request.message
    }
}

fn main() {
    let _ = Support::answer(WorkerRequest::new("hello"));
}
