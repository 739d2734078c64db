//! The state of a streamed text in the feed of its thread.

use super::frame::{Frame, Update};
use super::whole_pace::WholePace;
use crate::protocol::{ContentPart, ThreadEvent};
use crate::store::Change;

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
    pub(super) pace: WholePace,
}

impl Text {
    pub(super) fn new(event: ThreadEvent, rev: u64) -> Self {
        Self {
            event,
            rev,
            sent: String::new(),
            delta_seq: 0,
            unsent: String::new(),
            pace: WholePace::default(),
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
        delta_frame(&self.event.thread_id, &self.event.id, delta_seq, piece)
    }

    /// The event with the published text. `None` until a piece was published.
    pub(super) fn whole_frame(&self) -> Option<Frame> {
        if self.delta_seq == 0 {
            return None;
        }
        Some(whole_frame(
            &self.event,
            self.rev,
            &self.sent,
            self.delta_seq,
        ))
    }
}

/// The frame of a piece of a text.
pub(super) fn delta_frame(thread_id: &str, event_id: &str, delta_seq: u64, piece: &str) -> Frame {
    Frame::from(Update::Delta {
        thread_id: thread_id.to_owned(),
        event_id: event_id.to_owned(),
        delta_seq,
        text: piece.to_owned(),
    })
}

/// The frame of an event with its text so far. `rev` is that of the change that created the event.
pub(super) fn whole_frame(event: &ThreadEvent, rev: u64, text: &str, delta_seq: u64) -> Frame {
    let event = ThreadEvent {
        content: Some(vec![ContentPart::text(text)]),
        delta_seq: Some(delta_seq),
        ..event.clone()
    };
    Frame::from(Update::Change(Change::of_event(event, rev), None))
}
