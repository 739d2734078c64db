//! Polls a handler and writes what it sends.

use super::{Draft, Outbox, Pending};
use crate::AgentError;
use crate::store::StoreError;
use futures::future::BoxFuture;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::oneshot;

/// How a handler ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It returned; what it sent last may still wait in the outbox.
    Returned(Result<(), AgentError>),
    /// It was dropped before its end.
    Dropped,
    /// The turn is no longer this process's, so the handler was dropped.
    Lost,
}

/// Polls the handler. Each time that it waits, all that it has sent until then is written as one, while the
/// handler goes on. Once `ends_early` is ready the handler is dropped, and what is being written is written.
pub(super) async fn drive<'a, W>(
    handler: impl Future<Output = Result<(), AgentError>>,
    ends_early: impl Future<Output = ()>,
    outbox: &Outbox,
    write: impl Fn(Vec<Draft>) -> W,
) -> Ended
where
    W: Future<Output = Result<(), StoreError>> + Send + 'a,
{
    // Boxed, so that it can be dropped before the rest ends.
    let mut handler = Some(Box::pin(handler));
    let mut ends_early = pin!(ends_early);
    let mut result = None;
    let mut failure: Option<AgentError> = None;
    let mut writing: Option<BoxFuture<'a, Result<(), StoreError>>> = None;
    let mut waiting: Vec<oneshot::Sender<Result<(), AgentError>>> = Vec::new();
    poll_fn(|context| {
        loop {
            if handler.is_some() && ends_early.as_mut().poll(context).is_ready() {
                handler = None;
                result = Some(Ended::Dropped);
            }
            if let Some(running) = &mut handler
                && let Poll::Ready(returned) = running.as_mut().poll(context)
            {
                handler = None;
                result = Some(Ended::Returned(returned));
            }
            if writing.is_none() && result.is_none() && outbox.has_pending(context.waker()) {
                let mut drafts = Vec::new();
                for Pending { draft, stored } in outbox.take() {
                    drafts.push(draft);
                    waiting.push(stored);
                }
                writing = Some(Box::pin(write(drafts)));
            }
            let Some(running) = &mut writing else {
                return match result.take() {
                    Some(Ended::Returned(returned)) => {
                        // What could not be stored fails the turn, even if nobody waited for it.
                        let returned = returned.and(failure.take().map_or(Ok(()), Err));
                        Poll::Ready(Ended::Returned(returned))
                    }
                    Some(ended) => Poll::Ready(ended),
                    None => Poll::Pending,
                };
            };
            match running.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => answer(&mut waiting, || Ok(())),
                Poll::Ready(Err(StoreError::StaleFence | StoreError::NotFound(_))) => {
                    return Poll::Ready(Ended::Lost);
                }
                Poll::Ready(Err(error)) => {
                    let error = Arc::new(error);
                    answer(&mut waiting, || Err(shared(&error)));
                    failure.get_or_insert(shared(&error));
                }
            }
            writing = None;
        }
    })
    .await
}

/// Tells all who wait. Who sent something need not wait for it.
fn answer(
    waiting: &mut Vec<oneshot::Sender<Result<(), AgentError>>>,
    result: impl Fn() -> Result<(), AgentError>,
) {
    for stored in waiting.drain(..) {
        let _ = stored.send(result());
    }
}

fn shared(error: &Arc<StoreError>) -> AgentError {
    AgentError::from(Arc::clone(error) as Arc<dyn std::error::Error + Send + Sync>)
}
