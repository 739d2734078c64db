//! The receipt of an event or change that was sent.

use crate::AgentError;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// An event or change that was sent. Awaiting it returns its id when it is stored. It is sent even if it is not
/// awaited, and the turn fails if it cannot be stored. An event that clients cannot show is not sent and also fails
/// the turn. Examples are a form that its [`check`](crate::protocol::Form::check) refuses, and a part with a `ref_id` and no `url`.
///
/// U+0000 is removed from texts. JSON that is nested deeper than [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH)
/// is refused, and so is JSON that has two members with the same name after U+0000 is removed. In both cases awaiting
/// returns the error, and the turn fails.
#[derive(Debug)]
pub struct Sent {
    id: String,
    stored: oneshot::Receiver<Result<(), AgentError>>,
}

impl Sent {
    pub(super) fn new(id: String, stored: oneshot::Receiver<Result<(), AgentError>>) -> Self {
        Self { id, stored }
    }

    /// The id of the event or run, which is known before it is stored.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Future for Sent {
    type Output = Result<String, AgentError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.stored).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(Ok(()))) => Poll::Ready(Ok(std::mem::take(&mut self.id))),
            Poll::Ready(Ok(Err(error))) => Poll::Ready(Err(error)),
            Poll::Ready(Err(_)) => Poll::Ready(Err(AgentError::from(
                "the turn ended before this was stored",
            ))),
        }
    }
}
