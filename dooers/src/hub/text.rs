//! The state of a streamed text in the feed of its thread.

use super::frame::{Frame, Update};
use crate::protocol::{ContentPart, ThreadEvent};
use crate::store::Change;
use std::time::Duration;
use tokio::time::Instant;

/// Minimum time between two whole texts of an event.
pub(super) const WHOLE_EVERY: Duration = Duration::from_millis(100);

/// Maximum number of bytes of whole texts per second.
const WHOLE_BYTES_PER_SECOND: f64 = 64.0 * 1024.0;

/// A streamed text in a feed.
#[derive(Debug)]
pub(super) struct Text {
    /// The event. Its text is in `sent`.
    event: ThreadEvent,
    /// The `rev` of the change that created the event.
    pub(super) rev: u64,
    /// The text that was published.
    sent: String,
    /// The number of the next piece.
    delta_seq: u64,
    /// Text that is not published yet, because the event itself is not.
    unsent: String,
    /// The time at which the whole text may be sent again.
    whole_from: Instant,
    /// True if a task waits for that time.
    is_whole_awaited: bool,
}

impl Text {
    pub(super) fn new(event: ThreadEvent, rev: u64) -> Self {
        Self {
            event,
            rev,
            sent: String::new(),
            delta_seq: 0,
            unsent: String::new(),
            whole_from: Instant::now(),
            is_whole_awaited: false,
        }
    }

    pub(super) fn seq(&self) -> u64 {
        self.event.seq
    }

    pub(super) fn event_id(&self) -> &str {
        &self.event.id
    }

    pub(super) fn grow(&mut self, piece: &str) {
        self.unsent.push_str(piece);
    }

    /// The published text, and the number of the next piece.
    pub(super) fn sent(&self) -> (&str, u64) {
        (&self.sent, self.delta_seq)
    }

    /// Takes the next piece and its number. From now on the piece counts as published.
    pub(super) fn next_piece(&mut self) -> Option<(String, u64)> {
        if self.unsent.is_empty() {
            return None;
        }
        let piece = std::mem::take(&mut self.unsent);
        let delta_seq = self.delta_seq;
        self.sent.push_str(&piece);
        self.delta_seq += 1;
        Some((piece, delta_seq))
    }

    /// The frame of a piece.
    pub(super) fn delta_frame(&self, piece: &str, delta_seq: u64) -> Frame {
        Frame::from(Update::Delta {
            thread_id: self.event.thread_id.clone(),
            event_id: self.event.id.clone(),
            delta_seq,
            text: piece.to_owned(),
        })
    }

    /// The event with the published text. `None` until a piece was published.
    pub(super) fn whole_frame(&self) -> Option<Frame> {
        if self.delta_seq == 0 {
            return None;
        }
        let event = ThreadEvent {
            content: Some(vec![ContentPart::text(&*self.sent)]),
            delta_seq: Some(self.delta_seq),
            ..self.event.clone()
        };
        let change = Change::of_event(event, self.rev);
        Some(Frame::from(Update::Change(change, None)))
    }

    /// Checks that the whole text may be sent now. Otherwise the first caller gets the time at which to try again.
    pub(super) fn may_send_whole(&mut self) -> Result<(), Option<Instant>> {
        if self.is_whole_awaited {
            return Err(None);
        }
        if Instant::now() >= self.whole_from {
            return Ok(());
        }
        self.is_whole_awaited = true;
        Err(Some(self.whole_from))
    }

    /// Records that the whole text is sent now, with its size in bytes.
    pub(super) fn sends_whole(&mut self, bytes: usize) {
        let seconds = bytes as f64 / WHOLE_BYTES_PER_SECOND;
        self.whole_from = Instant::now() + WHOLE_EVERY.max(Duration::from_secs_f64(seconds));
        self.is_whole_awaited = false;
    }
}
