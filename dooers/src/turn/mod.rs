//! One user message being answered.

mod driver;
mod outbox;
mod recorder;
mod request;
mod response;
mod runner;

pub use recorder::Recorder;
pub use request::{FormResponse, WorkerRequest};
pub use response::{Sent, WorkerResponse};

pub(crate) use outbox::{Draft, Outbox, Pending};
pub(crate) use runner::Runner;

/// One user message being answered: what every argument of the handler is made from.
///
/// A clone is the same turn.
#[derive(Debug, Clone)]
pub struct Turn {
    request: WorkerRequest,
    response: WorkerResponse,
}

impl Turn {
    /// A turn of this request, whose answer goes to this response.
    #[must_use]
    pub fn new(request: WorkerRequest, response: WorkerResponse) -> Self {
        Self { request, response }
    }

    /// What the user sent.
    #[must_use]
    pub fn request(&self) -> &WorkerRequest {
        &self.request
    }

    /// Where the answer goes.
    #[must_use]
    pub fn response(&self) -> &WorkerResponse {
        &self.response
    }
}
