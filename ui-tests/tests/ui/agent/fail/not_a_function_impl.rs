use dooers::prelude::*;

struct Support;

#[dooers::agent]
impl Support {
    async fn answer(request: WorkerRequest) -> String {
        request.message
    }
}

fn main() {}
