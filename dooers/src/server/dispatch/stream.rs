//! Reading a turn that the program started.

use super::error::{HandlerError, HandlerErrorKind};
use super::event::DispatchEvent;
use super::turn_filter::TurnFilter;
use crate::protocol::{ThreadEvent, said_text};
use crate::server::local_session::LocalSession;
use crate::turn::{Ended, TurnCompletion};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A turn that the program started, while it goes on.
///
/// As a [`Stream`] it gives what happens in the turn, and last, if the turn does not succeed, a [`HandlerError`]. The turn
/// runs whether or not anybody reads this: who reads slowly gets the rest from the store, and dropping it cancels
/// nothing.
///
/// Of an agent of `run = "manual"` it also gives the events of the thread that no run has.
#[must_use = "the turn runs anyway; read the stream to see how it goes, or drop it explicitly"]
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

    /// The thread that the message is in.
    #[must_use]
    pub fn thread_id(&self) -> &str {
        &self.thread_id
    }

    /// The message's event.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Whether the thread was made for this message.
    #[must_use]
    pub fn is_new_thread(&self) -> bool {
        self.is_new_thread
    }

    /// Whether the message had been stored before under the same idempotency key, so that this is its turn of then.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Waits for the end of the turn. The result is its events, in their order, as they are in the end.
    ///
    /// # Errors
    ///
    /// [`HandlerError`], if the turn does not succeed. What it wrote until then is in the thread.
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

    /// Waits for the end of the turn. The result is what the agent said: the texts of its messages, a blank line between
    /// them. A message without text, such as a picture, is not in it.
    ///
    /// # Errors
    ///
    /// [`HandlerError`], if the turn does not succeed.
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

/// Reads one turn.
#[derive(Debug)]
pub(super) struct TurnReader {
    pub(super) local: LocalSession,
    pub(super) thread_id: String,
    pub(super) turn: TurnFilter,
    pub(super) end: StreamEnd,
}

/// What is known of the turn's end.
#[derive(Debug)]
pub(super) enum StreamEnd {
    /// It is still to come.
    Awaited(TurnCompletion),
    /// It has come; its last changes may not have been read.
    Completed(Ended),
    /// It came before the reading began.
    Past,
    /// It was read.
    Reported,
}

impl TurnReader {
    /// What happens next. None after the end.
    async fn next(&mut self) -> Option<Result<DispatchEvent, HandlerError>> {
        loop {
            if let Some(event) = self.turn.next() {
                return Some(Ok(event));
            }
            if let StreamEnd::Reported = self.end {
                return None;
            }
            if self.has_read_all() {
                return self.tell_end().map(Err);
            }
            let ended = async {
                match &mut self.end {
                    StreamEnd::Awaited(ending) => ending.await,
                    StreamEnd::Completed(_) | StreamEnd::Past | StreamEnd::Reported => {
                        std::future::pending().await
                    }
                }
            };
            tokio::select! {
                biased;
                frame = self.local.next() => match frame {
                    Some(frame) => self.turn.on_frame(frame),
                    None => return self.tell_stop().map(Err),
                },
                ended = ended => self.end = StreamEnd::Completed(ended),
            }
        }
    }

    /// Whether the turn is over and all of it was read.
    fn has_read_all(&mut self) -> bool {
        if self.turn.is_deleted() {
            return true;
        }
        if let StreamEnd::Awaited(ending) = &mut self.end
            && let Some(ended) = ending.now_or_never()
        {
            self.end = StreamEnd::Completed(ended);
        }
        let session = self.local.session();
        let (hub, connection) = (&session.running.hub, &session.connection);
        match &self.end {
            // In this order: what the hub sends between the two questions waits in the queue when the second one is asked.
            StreamEnd::Completed(ended) => {
                hub.has_sent(connection, &self.thread_id, ended.rev) && self.local.is_idle()
            }
            StreamEnd::Past => hub.has_sent(connection, &self.thread_id, 0) && self.local.is_idle(),
            // In another process it comes by the record only.
            StreamEnd::Awaited(_) => self.turn.is_over() && self.local.is_idle(),
            StreamEnd::Reported => true,
        }
    }

    /// The server has stopped, perhaps before the turn was over.
    fn tell_stop(&mut self) -> Option<HandlerError> {
        match std::mem::replace(&mut self.end, StreamEnd::Reported) {
            StreamEnd::Completed(ended) => HandlerError::of_outcome(&ended.outcome),
            StreamEnd::Awaited(_) | StreamEnd::Past | StreamEnd::Reported => {
                Some(HandlerError::new(HandlerErrorKind::ServerStopped))
            }
        }
    }

    /// Why the turn did not succeed, if it did not.
    fn tell_end(&mut self) -> Option<HandlerError> {
        match std::mem::replace(&mut self.end, StreamEnd::Reported) {
            _ if self.turn.is_deleted() => Some(HandlerError::new(HandlerErrorKind::ThreadDeleted)),
            StreamEnd::Completed(ended) => HandlerError::of_outcome(&ended.outcome),
            StreamEnd::Awaited(_) | StreamEnd::Past | StreamEnd::Reported => {
                self.turn.last_run().and_then(HandlerError::of_run)
            }
        }
    }
}
