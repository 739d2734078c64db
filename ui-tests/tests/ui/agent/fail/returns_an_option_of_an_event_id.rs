use dooers::EventId;
use dooers::prelude::*;

#[dooers::agent]
async fn support(response: WorkerResponse) -> Option<EventId> {
    response.text("hello").await.ok()
}

fn main() {}
