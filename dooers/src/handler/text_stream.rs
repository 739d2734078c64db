//! A text that is streamed to users.

use super::id::EventId;
use super::outbox::Outbox;
use super::reply::{Reply, StreamedText};
use super::sent::Sent;
use super::stream_text::PushAll;
use futures::Stream;
use std::fmt;
use std::sync::Arc;

/// A text that is streamed to users, created by [`WorkerResponse::text_stream`](crate::WorkerResponse::text_stream).
///
/// The event of the text is in the thread from the first piece on, and clients receive each piece as it arrives. The
/// text is stored every two seconds, and completely when it ends: by [`finish`](Self::finish), when this value is
/// dropped, and at the latest when the turn ends, whether it succeeds, fails or is cancelled. An answer that breaks
/// off therefore keeps its text. An answer that breaks off before its first piece leaves no event.
pub struct TextStream {
    outbox: Arc<Outbox>,
    id: EventId,
    has_ended: bool,
}

impl TextStream {
    pub(super) fn begin(outbox: &Arc<Outbox>, reply: Reply) -> Self {
        Self {
            outbox: Arc::clone(outbox),
            id: outbox.begin_text(reply).into(),
            has_ended: false,
        }
    }

    /// The id of the text's event, which exists from the first piece on.
    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.id
    }

    /// Appends to the text. The piece is published as soon as the handler waits for something, without a write to the
    /// store. After the end of the turn this does nothing.
    pub fn push(&self, delta: impl AsRef<str>) {
        self.outbox.grow(self.id.as_str(), delta.as_ref());
    }

    /// Appends all items of a stream. Yields to other tasks in between, even if the stream is always ready.
    ///
    /// # Errors
    ///
    /// The first error of the stream. The text keeps the pieces before the error, and more can be appended.
    pub fn push_all<S>(&self, stream: S) -> PushAll<'_, S>
    where
        S: Stream,
        S::Item: StreamedText,
    {
        PushAll::new(self, stream)
    }

    /// Ends the text. Awaiting the result returns the id of the event when the text is stored. A text without pieces
    /// does not create an event.
    pub fn finish(mut self) -> Sent {
        self.has_ended = true;
        let stored = self.outbox.end_text(self.id.as_str());
        Sent::new(self.id.clone(), stored)
    }
}

impl Drop for TextStream {
    fn drop(&mut self) {
        if !self.has_ended {
            drop(self.outbox.end_text(self.id.as_str()));
        }
    }
}

impl fmt::Debug for TextStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStream")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
