//! Polls a handler, and writes and tells what it sends.

use super::outbox::Outbox;
use super::writer::TurnWriter;
use crate::AgentError;
use crate::store::StoreError;
use futures::future::BoxFuture;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

/// How far a text has grown is stored so often at the most.
const STORE_TEXTS_EVERY: Duration = Duration::from_secs(2);

/// How a handler ended.
#[derive(Debug)]
pub(super) enum Ended<E> {
    /// It returned; what it sent last may still wait in the outbox.
    Returned(Result<(), AgentError>),
    /// It was dropped before its end.
    Dropped(E),
    /// The turn is no longer this process's, so the handler was dropped.
    Lost,
}

/// Polls the handler. Each time that it waits, all that it has sent until then is written as one, while the
/// handler goes on; what came to a text that grows is told at once. Once `ends_early` is ready the handler is dropped,
/// and what is being written is written.
pub(super) async fn drive<E>(
    mut handler: impl Future<Output = Result<(), AgentError>> + Unpin,
    ends_early: impl Future<Output = E>,
    outbox: &Outbox,
    writer: &TurnWriter<'_>,
) -> Ended<E> {
    let mut ends_early = pin!(ends_early);
    let mut writing = Writing::default();
    let mut store_texts_at: Option<Instant> = None;
    let ended = loop {
        let due = store_texts_at.filter(|_| !writing.is_busy());
        tokio::select! {
            biased;
            early = &mut ends_early => break Ended::Dropped(early),
            returned = &mut handler => break Ended::Returned(returned),
            () = outbox.has_pieces() => {
                writer.tell(outbox.take_pieces());
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
                break Ended::Lost;
            },
        }
    };
    let_go(handler);
    if writing.is_busy() && !writing.done().await {
        return Ended::Lost;
    }
    match ended {
        // What could not be sent or stored fails the turn, even if nobody waited for it.
        Ended::Returned(returned) => {
            let written = writing.outcome();
            Ended::Returned(returned.and(written).and(outbox.check()))
        }
        ended => ended,
    }
}

/// Drops a handler. If something in it panics at that, its turn must end all the same.
fn let_go(handler: impl Sized) {
    if catch_unwind(AssertUnwindSafe(|| drop(handler))).is_err() {
        tracing::error!(target: "dooers::turn", "a handler panicked while it was dropped");
    }
}

/// What is being written, and who waits for it.
#[derive(Default)]
struct Writing<'a> {
    running: Option<BoxFuture<'a, Result<(), StoreError>>>,
    waiting: Vec<oneshot::Sender<Result<(), AgentError>>>,
    failure: Option<AgentError>,
}

impl<'a> Writing<'a> {
    fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    fn begin(
        &mut self,
        running: BoxFuture<'a, Result<(), StoreError>>,
        waiting: Vec<oneshot::Sender<Result<(), AgentError>>>,
    ) {
        self.running = Some(running);
        self.waiting = waiting;
    }

    /// Waits until it is written, for ever if nothing is. `false` if the turn is no longer this process's.
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
                self.answer(|| Err(shared(&error)));
                self.failure.get_or_insert(shared(&error));
            }
        }
        true
    }

    /// Tells all who wait. Who sent something need not wait for it.
    fn answer(&mut self, result: impl Fn() -> Result<(), AgentError>) {
        for stored in self.waiting.drain(..) {
            let _ = stored.send(result());
        }
    }

    /// What went wrong first.
    fn outcome(self) -> Result<(), AgentError> {
        self.failure.map_or(Ok(()), Err)
    }
}

fn shared(error: &Arc<StoreError>) -> AgentError {
    AgentError::from(Arc::clone(error) as Arc<dyn std::error::Error + Send + Sync>)
}
