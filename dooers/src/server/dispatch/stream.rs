//! The stream of a dispatched turn.

use super::error::{HandlerError, HandlerErrorKind};
use super::event::DispatchEvent;
use super::turn_filter::TurnFilter;
use crate::hub::Frame;
use crate::protocol::{ThreadEvent, said_text};
use crate::server::local_session::LocalSession;
use crate::server::session::Session;
use crate::turn::{Ended, TurnCompletion, TurnEnd};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// The turn that answers a dispatched message, as a [`Stream`] of its changes.
///
/// The stream ends when the turn ends. If the turn does not succeed, the last item is a [`HandlerError`]. The turn does not
/// depend on the stream: a slow reader receives missed changes from the store, and dropping the stream does not cancel the
/// turn.
///
/// For an agent with `run = "manual"`, the stream also contains the thread's events that belong to no run.
#[must_use = "the turn runs independently of the stream; read the stream to learn the outcome, or drop it explicitly"]
pub struct DispatchStream {
    pub(super) thread_id: String,
    pub(super) event_id: String,
    pub(super) is_new_thread: bool,
    pub(super) is_repeated: bool,
    events: BoxStream<'static, Result<DispatchEvent, HandlerError>>,
}

impl DispatchStream {
    pub(super) fn new(
        (thread_id, event_id): (String, String),
        is_new_thread: bool,
        is_repeated: bool,
        reading: TurnReader,
    ) -> Self {
        let next = |mut reading: TurnReader| async {
            let next = reading.next().await?;
            Some((next, reading))
        };
        Self {
            thread_id,
            event_id,
            is_new_thread,
            is_repeated,
            events: stream::unfold(reading, next).boxed(),
        }
    }

    /// The id of the message's thread.
    #[must_use]
    pub fn thread_id(&self) -> &str {
        &self.thread_id
    }

    /// The id of the message's event.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Returns true if the thread was created for this message.
    #[must_use]
    pub fn is_new_thread(&self) -> bool {
        self.is_new_thread
    }

    /// Returns true if the message was already stored with the same idempotency key. The stream then reads the turn of the
    /// first message.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Waits for the end of the turn, and returns its events in their final state and in their order.
    ///
    /// # Errors
    ///
    /// [`HandlerError`] if the turn does not succeed. Events that the turn has stored stay in the thread.
    pub async fn collect(mut self) -> Result<Vec<ThreadEvent>, HandlerError> {
        let mut events: Vec<ThreadEvent> = Vec::new();
        while let Some(event) = self.events.try_next().await? {
            let DispatchEvent::Event(event) = event else {
                continue;
            };
            match events.iter_mut().find(|known| known.id == event.id) {
                Some(known) => *known = *event,
                None => events.push(*event),
            }
        }
        Ok(events)
    }

    /// Waits for the end of the turn, and returns the texts of the agent's messages, separated by blank lines. Messages
    /// without text, such as an image, are skipped.
    ///
    /// # Errors
    ///
    /// [`HandlerError`] if the turn does not succeed.
    pub async fn text(self) -> Result<String, HandlerError> {
        Ok(said_text(&self.collect().await?))
    }
}

impl Stream for DispatchStream {
    type Item = Result<DispatchEvent, HandlerError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(context)
    }
}

impl fmt::Debug for DispatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatchStream")
            .field("thread_id", &self.thread_id)
            .field("event_id", &self.event_id)
            .field("is_new_thread", &self.is_new_thread)
            .field("is_repeated", &self.is_repeated)
            .finish_non_exhaustive()
    }
}

/// Reads the changes and the end of one turn.
#[derive(Debug)]
pub(super) struct TurnReader {
    pub(super) local: LocalSession,
    pub(super) thread_id: String,
    pub(super) turn: TurnFilter,
    pub(super) end: StreamEnd,
}

/// The state of a [`TurnReader`] with respect to the end of its turn.
#[derive(Debug)]
pub(super) enum StreamEnd {
    /// The end is not known yet.
    Awaited(TurnCompletion),
    /// The turn has ended in this process. Its last changes may not have been read yet.
    Completed(Ended),
    /// The turn ended in another process, or before the reader was created. Its changes may not have been read yet, and the
    /// record of its run shows the outcome.
    Recorded {
        /// The `rev` of the last change, or of a later one. 0 for the newest change of the thread.
        rev: u64,
    },
    /// The end was returned to the caller.
    Reported,
}

/// A step of a [`TurnReader`].
enum Step {
    /// The next frame, or the end of the session.
    Frame(Option<Box<Frame>>),
    /// The end of the turn.
    Ended(TurnEnd),
    /// All changes of the ended turn were read.
    Read,
}

impl StreamEnd {
    /// Returns true if the turn has ended, and the session was sent all its changes.
    fn is_read_by(&self, session: &Session, thread_id: &str) -> bool {
        let (hub, connection) = (&session.server.hub, &session.connection);
        match self {
            Self::Completed(Ended { rev, .. }) | Self::Recorded { rev } => {
                hub.has_sent(connection, thread_id, *rev)
            }
            Self::Awaited(_) | Self::Reported => false,
        }
    }
}

impl From<TurnEnd> for StreamEnd {
    fn from(end: TurnEnd) -> Self {
        match end {
            TurnEnd::Here(ended) => Self::Completed(ended),
            TurnEnd::Elsewhere { rev } => Self::Recorded { rev },
        }
    }
}

impl TurnReader {
    /// The next item of the stream. `None` after the end.
    async fn next(&mut self) -> Option<Result<DispatchEvent, HandlerError>> {
        loop {
            if let Some(event) = self.turn.next() {
                return Some(Ok(event));
            }
            if let StreamEnd::Reported = self.end {
                return None;
            }
            if self.has_read_all() {
                return self.report_end().map(Err);
            }
            match self.step().await {
                Step::Frame(Some(frame)) => self.turn.on_frame(*frame),
                Step::Frame(None) => return self.report_stop().map(Err),
                Step::Ended(ended) => self.end = ended.into(),
                Step::Read => {}
            }
        }
    }

    /// Waits until something happens. A subscription that has read the missed changes from the store may continue without
    /// another frame, so the position of the subscription is checked whenever the session was polled.
    async fn step(&mut self) -> Step {
        let session = Arc::clone(self.local.session());
        let (thread_id, end) = (&self.thread_id, &mut self.end);
        let mut frame = pin!(self.local.next());
        poll_fn(|context| {
            if let Poll::Ready(frame) = frame.as_mut().poll(context) {
                return Poll::Ready(Step::Frame(frame.map(Box::new)));
            }
            if let StreamEnd::Awaited(ending) = end {
                return ending.poll_unpin(context).map(Step::Ended);
            }
            let is_read = end.is_read_by(&session, thread_id);
            let is_idle = session.connection.outbound().is_empty();
            if is_read && is_idle {
                Poll::Ready(Step::Read)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Returns true if the turn has ended and all its changes were read.
    fn has_read_all(&mut self) -> bool {
        if self.turn.is_deleted() {
            return true;
        }
        if let StreamEnd::Awaited(ending) = &mut self.end
            && let Some(ended) = ending.now_or_never()
        {
            self.end = ended.into();
        }
        match &self.end {
            // The order matters: frames that the hub sends between the two checks are found in the queue by `is_idle`.
            StreamEnd::Completed(_) | StreamEnd::Recorded { .. } => {
                self.end.is_read_by(self.local.session(), &self.thread_id) && self.local.is_idle()
            }
            // If the turn runs in another process, the record of its run usually shows the end first.
            StreamEnd::Awaited(_) => self.turn.is_over() && self.local.is_idle(),
            StreamEnd::Reported => true,
        }
    }

    /// Ends the stream because the server has stopped, possibly before the turn ended.
    fn report_stop(&mut self) -> Option<HandlerError> {
        match std::mem::replace(&mut self.end, StreamEnd::Reported) {
            StreamEnd::Completed(ended) => HandlerError::of_outcome(&ended.outcome),
            StreamEnd::Awaited(_) | StreamEnd::Recorded { .. } | StreamEnd::Reported => {
                Some(HandlerError::new(HandlerErrorKind::ServerStopped))
            }
        }
    }

    /// Ends the stream after the turn. Returns the error of a turn that did not succeed.
    fn report_end(&mut self) -> Option<HandlerError> {
        match std::mem::replace(&mut self.end, StreamEnd::Reported) {
            _ if self.turn.is_deleted() => Some(HandlerError::new(HandlerErrorKind::ThreadDeleted)),
            StreamEnd::Completed(ended) => HandlerError::of_outcome(&ended.outcome),
            StreamEnd::Awaited(_) | StreamEnd::Recorded { .. } | StreamEnd::Reported => {
                self.turn.last_run().and_then(HandlerError::of_run)
            }
        }
    }
}
