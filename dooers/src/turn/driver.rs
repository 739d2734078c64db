//! Polls a handler, and stores and publishes the events that it sends.

use super::writer::TurnWriter;
use crate::AgentError;
use crate::error::SendError;
use crate::handler::{Outbox, StoredSender};
use crate::store::StoreError;
use futures::future::BoxFuture;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Minimum time between two writes of a streamed text's progress.
const STORE_TEXTS_EVERY: Duration = Duration::from_secs(2);

/// The reason why a handler ended.
#[derive(Debug)]
pub(super) enum HandlerEnd<E> {
    /// The handler returned. Its last changes may still be in the outbox.
    Returned(Result<(), AgentError>),
    /// The handler was dropped before it returned.
    Dropped(E),
    /// The handler was dropped because another process owns the turn or the turn was deleted.
    Lost,
}

/// Polls the handler. Whenever it waits, all changes that it has made so far are written in one transaction, while the
/// handler continues. Pieces of streamed texts are published at once. When `ends_early` resolves, the handler is
/// dropped and the current write is completed.
pub(super) async fn drive<E>(
    mut handler: impl Future<Output = Result<(), AgentError>> + Unpin,
    ends_early: impl Future<Output = E>,
    outbox: &Outbox,
    writer: &TurnWriter<'_>,
) -> HandlerEnd<E> {
    let mut ends_early = pin!(ends_early);
    let mut writing = CurrentWrite::default();
    let mut store_texts_at: Option<Instant> = None;
    let ended = loop {
        let due = store_texts_at.filter(|_| !writing.is_busy());
        tokio::select! {
            biased;
            early = &mut ends_early => break HandlerEnd::Dropped(early),
            returned = &mut handler => break HandlerEnd::Returned(returned),
            () = outbox.has_pieces() => {
                writer.publish_pieces(outbox.take_pieces());
                store_texts_at.get_or_insert_with(|| Instant::now() + STORE_TEXTS_EVERY);
            }
            () = outbox.has_pending(), if !writing.is_busy() => {
                let (drafts, waiting) = outbox.take();
                writing.begin(Box::pin(writer.write(drafts)), waiting);
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                store_texts_at = None;
                writing.begin(Box::pin(writer.write_texts()), Vec::new());
            }
            is_held = writing.done() => if !is_held {
                break HandlerEnd::Lost;
            },
        }
    };
    drop_handler(handler);
    if writing.is_busy() && !writing.done().await {
        return HandlerEnd::Lost;
    }
    match ended {
        // A change that was refused or could not be stored fails the turn, even if the handler did not await it.
        HandlerEnd::Returned(returned) => {
            let sent = writing.outcome().and(outbox.check());
            HandlerEnd::Returned(returned.and(sent.map_err(AgentError::from)))
        }
        ended => ended,
    }
}

/// Drops a handler. The turn must end normally even if the handler panics while it is dropped.
fn drop_handler(handler: impl Sized) {
    if catch_unwind(AssertUnwindSafe(|| drop(handler))).is_err() {
        tracing::error!(target: "dooers::turn", "a handler panicked while it was dropped");
    }
}

/// The current write, and the senders to notify when it ends.
#[derive(Default)]
struct CurrentWrite<'a> {
    running: Option<BoxFuture<'a, Result<(), StoreError>>>,
    waiting: Vec<StoredSender>,
    failure: Option<SendError>,
}

impl<'a> CurrentWrite<'a> {
    fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    fn begin(
        &mut self,
        running: BoxFuture<'a, Result<(), StoreError>>,
        waiting: Vec<StoredSender>,
    ) {
        self.running = Some(running);
        self.waiting = waiting;
    }

    /// Waits for the end of the current write, or forever if there is none. Returns `false` if this process no longer
    /// owns the turn.
    async fn done(&mut self) -> bool {
        let written = match &mut self.running {
            Some(running) => running.await,
            None => pending().await,
        };
        self.running = None;
        match written {
            Ok(()) => self.answer(|| Ok(())),
            Err(StoreError::StaleFence | StoreError::NotFound(_)) => return false,
            Err(error) => {
                let error = Arc::new(error);
                self.answer(|| Err(SendError::store(&error)));
                self.failure.get_or_insert(SendError::store(&error));
            }
        }
        true
    }

    /// Notifies all senders of the write's result. A receiver may have been dropped, because handlers do not have to
    /// wait.
    fn answer(&mut self, result: impl Fn() -> Result<(), SendError>) {
        for stored in self.waiting.drain(..) {
            let _ = stored.send(result());
        }
    }

    /// The first failure.
    fn outcome(self) -> Result<(), SendError> {
        self.failure.map_or(Ok(()), Err)
    }
}
