use dooers::prelude::*;
use dooers::{EventId, SendError};

#[dooers::agent]
async fn support(response: WorkerResponse) -> Result<EventId, SendError> {
    response.text("hello").await
}

fn main() {}
