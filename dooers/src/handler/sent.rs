//! The receipt of an event or change that was sent.

use super::id::EventId;
use crate::error::SendError;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// An event or change that was sent. Awaiting it returns its id when it is stored. It is sent even if it is not
/// awaited, and the turn fails if it cannot be stored. An event that clients cannot show is not sent and also fails
/// the turn. Examples are a form that its [`check`](crate::protocol::Form::check) refuses, and a part with a `ref_id` and no `url`.
///
/// The id is an [`EventId`], or a [`RunId`](crate::RunId) for the start and the end of a run. A change of the thread
/// has no id.
///
/// U+0000 is removed from texts. JSON that is nested deeper than [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH)
/// is refused, and so is JSON that has two members with the same name after U+0000 is removed. In both cases awaiting
/// returns the error, and the turn fails.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::EventId;
///
/// #[dooers::agent]
/// async fn greeter(response: WorkerResponse) -> Result<()> {
///     let greeting = response.text("Hello!");
///     let id: EventId = greeting.id().clone();
///     assert_eq!(greeting.await?, id);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Sent<T = EventId> {
    id: T,
    stored: oneshot::Receiver<Result<(), SendError>>,
}

impl<T> Sent<T> {
    pub(super) fn new(id: T, stored: oneshot::Receiver<Result<(), SendError>>) -> Self {
        Self { id, stored }
    }

    /// The id of the event or run, which is known before it is stored.
    #[must_use]
    pub fn id(&self) -> &T {
        &self.id
    }
}

impl<T: Clone + Unpin> Future for Sent<T> {
    type Output = Result<T, SendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.stored).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(Ok(()))) => Poll::Ready(Ok(self.id.clone())),
            Poll::Ready(Ok(Err(error))) => Poll::Ready(Err(error)),
            Poll::Ready(Err(_)) => Poll::Ready(Err(SendError::turn_ended(
                "the turn or the server ended before this was stored",
            ))),
        }
    }
}
