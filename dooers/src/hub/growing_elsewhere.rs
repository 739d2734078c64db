//! Texts that other nodes stream.
//!
//! The other node sends the pieces through the broker, with their offsets. Subscribers whose clients have the text up to a
//! piece receive it at once. If a piece is missing, they receive nothing more until the store contains it: the server then reads
//! the event again. The end of a text is a change like any other.

use super::Hub;
use super::lock::lock;
use super::text_elsewhere::TextLookUp;
use crate::broker::TextPiece;
use crate::protocol::ThreadEvent;
use crate::store::StoreError;
use tokio::time::Instant;

impl Hub {
    /// Takes a piece of a text that another node streams. If subscribers need the event of the text, the caller must read it, and
    /// call [`looked_up`](Self::looked_up).
    pub(crate) fn grow_elsewhere(&self, piece: &TextPiece) -> Option<TextLookUp> {
        let feed = self.feed(&piece.thread_id)?;
        let (again, look_up) = {
            let mut feed = lock(&feed);
            feed.begun_elsewhere(piece.rev);
            (feed.grow_elsewhere(piece), feed.look_up(piece.seq))
        };
        self.send_whole_elsewhere_at(again, &piece.thread_id, piece.seq);
        look_up
    }

    /// Takes the result of a look-up.
    pub(crate) fn looked_up(&self, look_up: &TextLookUp, result: Result<ThreadEvent, StoreError>) {
        let Some(feed) = self.feed(&look_up.thread_id) else {
            return;
        };
        let event = match result {
            Ok(event) => Some(event),
            Err(StoreError::NotFound(_)) => None,
            Err(_) => return self.look_up_failed(look_up),
        };
        let again = lock(&feed).looked_up(look_up, event.as_ref());
        self.send_whole_elsewhere_at(again, &look_up.thread_id, look_up.seq);
    }

    /// Permits another look-up after one that was not made or has failed.
    pub(crate) fn look_up_failed(&self, look_up: &TextLookUp) {
        if let Some(feed) = self.feed(&look_up.thread_id) {
            lock(&feed).look_up_failed(look_up);
        }
    }

    /// The texts of a thread of which no piece has arrived since the last call. The caller must read their events, and call
    /// [`looked_up`](Self::looked_up).
    pub(crate) fn look_up_quiet(&self, thread_id: &str) -> Vec<TextLookUp> {
        let feed = self.feed(thread_id);
        feed.map_or_else(Vec::new, |feed| lock(&feed).look_up_quiet())
    }

    fn send_whole_elsewhere_at(&self, at: Option<Instant>, thread_id: &str, seq: u64) {
        if let Some(at) = at
            && let Some(feed) = self.feed(thread_id)
        {
            self.later(at, move || lock(&feed).send_whole_elsewhere(seq));
        }
    }
}
