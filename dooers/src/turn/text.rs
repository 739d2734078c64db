//! A text that grows while users read it.

use super::Sent;
use super::outbox::Outbox;
use crate::AgentError;
use crate::reply::{Reply, StreamedText};
use futures::{Stream, StreamExt};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use tokio::task::coop::consume_budget;

/// A text that grows while users read it: made by [`WorkerResponse::text_stream`](crate::WorkerResponse::text_stream).
///
/// Its event is in the thread from the first piece on, and clients see each piece as it comes. The text is stored every
/// two seconds, and as a whole when it ends: by [`finish`](Self::finish), when this is dropped, and at the latest with
/// the turn, whether that succeeds, fails or is cancelled. So an answer that breaks off keeps what it had; one that breaks
/// off before its first piece leaves nothing.
pub struct TextStream {
    outbox: Arc<Outbox>,
    id: String,
    has_ended: bool,
}

impl TextStream {
    pub(super) fn begin(outbox: &Arc<Outbox>, reply: Reply) -> Self {
        Self {
            outbox: Arc::clone(outbox),
            id: outbox.begin_text(reply),
            has_ended: false,
        }
    }

    /// The id of its event, which there is from the first piece on.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Adds to the text. It is told as soon as the handler waits for something; nothing is written for it. After the
    /// end of the turn it does nothing.
    pub fn push(&self, delta: impl AsRef<str>) {
        self.outbox.grow(&self.id, delta.as_ref());
    }

    /// Adds all that comes of a stream. Others have their turn in between, however fast it comes.
    ///
    /// # Errors
    ///
    /// The first error of the stream. The text keeps what came before it, and can go on.
    pub async fn push_all<S>(&self, stream: S) -> Result<(), AgentError>
    where
        S: Stream,
        S::Item: StreamedText,
    {
        let mut stream = pin!(stream);
        while let Some(delta) = stream.next().await {
            self.push(delta.into_text()?);
            consume_budget().await;
        }
        Ok(())
    }

    /// Ends the text. The result is its event's id, once it is stored. A text without any piece is no event.
    pub fn finish(mut self) -> Sent {
        self.has_ended = true;
        let stored = self.outbox.end_text(&self.id);
        Sent::new(self.id.clone(), stored)
    }
}

impl Drop for TextStream {
    fn drop(&mut self) {
        if !self.has_ended {
            drop(self.outbox.end_text(&self.id));
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
