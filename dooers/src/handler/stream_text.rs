//! Futures that append a stream to a text.
//!
//! They are types of their own and not `async fn`s. The compiler could not prove that an `async fn` is `Send` if the
//! items of its stream borrow from the handler. The stream is boxed, because a pinned
//! field needs unsafe code, or a macro whose types would become a part of the API.

use super::id::EventId;
use super::reply::StreamedText;
use super::sent::Sent;
use super::text_stream::TextStream;
use crate::error::SendError;
use futures::{Stream, ready};
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::task::coop::consume_budget;

/// The future of [`TextStream::push_all`].
///
/// ```
/// use dooers::prelude::*;
/// use futures::stream;
///
/// #[dooers::agent]
/// async fn twice(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
///     let text = response.text_stream();
///     for _ in 0..2 {
///         text.push_all(stream::iter(request.message.split(' '))).await?;
///     }
///     Ok(())
/// }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct PushAll<'a, S> {
    text: &'a TextStream,
    stream: Pin<Box<S>>,
}

impl<'a, S> PushAll<'a, S> {
    pub(super) fn new(text: &'a TextStream, stream: S) -> Self {
        Self {
            text,
            stream: Box::pin(stream),
        }
    }
}

impl<S> Future for PushAll<'_, S>
where
    S: Stream,
    S::Item: StreamedText,
{
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        poll_push_all(self.text, self.stream.as_mut(), context)
    }
}

impl<S> fmt::Debug for PushAll<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushAll")
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

/// The future of [`WorkerResponse::stream_text`](crate::WorkerResponse::stream_text) and
/// [`stream_reasoning`](crate::WorkerResponse::stream_reasoning).
///
/// If it is dropped before the end of the stream, the text ends with what has arrived.
///
/// ```
/// use dooers::prelude::*;
/// use futures::{StreamExt, stream};
///
/// /// Repeats each word. The items of the stream borrow from the request.
/// #[dooers::agent]
/// async fn echo(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
///     let words: Vec<&str> = request.message.split(' ').collect();
///     let texts = stream::iter(words.iter()).map(|word| format!("{word} {word} "));
///     response.stream_text(texts).await?;
///     Ok(())
/// }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct StreamText<S> {
    stream: Pin<Box<S>>,
    state: State,
}

enum State {
    Streaming(TextStream),
    Finishing(Sent),
    /// The stream failed. Only a caller that polls after the end sees this state.
    Failed,
}

impl<S> StreamText<S> {
    pub(super) fn new(text: TextStream, stream: S) -> Self {
        Self {
            stream: Box::pin(stream),
            state: State::Streaming(text),
        }
    }
}

impl<S> Future for StreamText<S>
where
    S: Stream,
    S::Item: StreamedText,
{
    type Output = Result<EventId, SendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Streaming(text) => {
                    let pushed = ready!(poll_push_all(text, this.stream.as_mut(), context));
                    let state = std::mem::replace(&mut this.state, State::Failed);
                    pushed?;
                    if let State::Streaming(text) = state {
                        this.state = State::Finishing(text.finish());
                    }
                }
                State::Finishing(sent) => return Pin::new(sent).poll(context),
                State::Failed => return Poll::Pending,
            }
        }
    }
}

impl<S> fmt::Debug for StreamText<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamText").finish_non_exhaustive()
    }
}

/// Appends items until the stream waits, ends or fails. Yields to other tasks in between, even if the stream is always
/// ready.
fn poll_push_all<S>(
    text: &TextStream,
    mut stream: Pin<&mut S>,
    context: &mut Context<'_>,
) -> Poll<Result<(), SendError>>
where
    S: Stream,
    S::Item: StreamedText,
{
    while let Some(delta) = ready!(stream.as_mut().poll_next(context)) {
        text.push(delta.into_text().map_err(SendError::stream)?);
        ready!(pin!(consume_budget()).poll(context));
    }
    Poll::Ready(Ok(()))
}
