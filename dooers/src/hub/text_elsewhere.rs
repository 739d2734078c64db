//! The state of a text that another node streams.

use super::frame::Frame;
use super::shown_text::text_of;
use super::text::{delta_frame, whole_frame};
use super::whole_pace::WholePace;
use crate::broker::TextPiece;
use crate::protocol::ThreadEvent;
use crate::store::Scope;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum number of bytes, and of gaps before them, that are kept behind a gap in a text.
const MOST_AHEAD: usize = 256 * 1024;
const MOST_GAPS: usize = 64;

/// A request to read the event of a streamed text from the store.
#[derive(Debug)]
pub(crate) struct TextLookUp {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) event_id: String,
    pub(super) seq: u64,
    /// The number of the look-up. The result of another one is obsolete.
    number: u64,
}

/// A text that another node streams.
///
/// Its beginning is known without gaps, from the store and from pieces. Pieces behind a gap are kept until the store contains
/// the missing part.
#[derive(Debug)]
pub(super) struct TextElsewhere {
    thread_id: String,
    event_id: String,
    /// The `rev` of the change that created the event, or 0.
    rev: u64,
    /// The event, without its text. `None` until it was read from the store.
    event: Option<ThreadEvent>,
    known: String,
    /// Texts behind a gap, by their offsets.
    ahead: BTreeMap<usize, String>,
    ahead_bytes: usize,
    /// The length of the stored text, as the other node has announced it.
    stored: usize,
    /// The value of `stored` at the last look-up.
    looked_up: Option<usize>,
    /// The number of the look-up that is in progress.
    look_up: Option<u64>,
    /// The connections for which the event was looked up.
    checked: HashSet<u64>,
    /// True if no piece has arrived since the last comparison with the database.
    is_quiet: bool,
    /// True if the text has ended according to the store. Pieces may still arrive.
    is_closed: bool,
    pub(super) pace: WholePace,
}

impl TextElsewhere {
    pub(super) fn new(thread_id: &str, event_id: &str) -> Self {
        Self {
            thread_id: thread_id.to_owned(),
            event_id: event_id.to_owned(),
            rev: 0,
            event: None,
            known: String::new(),
            ahead: BTreeMap::new(),
            ahead_bytes: 0,
            stored: 0,
            looked_up: None,
            look_up: None,
            checked: HashSet::new(),
            is_quiet: true,
            is_closed: false,
            pace: WholePace::default(),
        }
    }

    pub(super) fn event_id(&self) -> &str {
        &self.event_id
    }

    /// The beginning of the text that is known without gaps.
    pub(super) fn known(&self) -> &str {
        &self.known
    }

    /// Takes a piece that the other node has sent. The piece may be lost, repeated or out of order.
    pub(super) fn grow(&mut self, piece: &TextPiece) {
        if piece.event_id != self.event_id || self.is_closed {
            return;
        }
        self.is_quiet = false;
        self.rev = self.rev.max(piece.rev);
        self.stored = self.stored.max(piece.stored);
        if piece.from <= self.known.len() {
            append(&mut self.known, 0, piece.from, &piece.text);
            self.join();
        } else if !piece.text.is_empty() {
            self.keep(piece.from, &piece.text);
        }
    }

    /// Keeps a piece behind a gap. If too much is kept, the earlier pieces are dropped: the stored text will contain them.
    fn keep(&mut self, from: usize, text: &str) {
        if self.ahead_bytes + text.len() > MOST_AHEAD || self.ahead.len() >= MOST_GAPS {
            self.ahead.clear();
            self.ahead_bytes = 0;
        }
        if text.len() > MOST_AHEAD {
            return;
        }
        if let Some((start, before)) = self.ahead.range_mut(..=from).next_back()
            && from <= start.saturating_add(before.len())
        {
            let length = before.len();
            append(before, *start, from, text);
            self.ahead_bytes += before.len() - length;
        } else {
            self.ahead.insert(from, text.to_owned());
            self.ahead_bytes += text.len();
        }
    }

    /// Appends the pieces behind a gap that is closed.
    fn join(&mut self) {
        while let Some(first) = self.ahead.first_entry()
            && *first.key() <= self.known.len()
        {
            let (from, text) = first.remove_entry();
            self.ahead_bytes -= text.len();
            append(&mut self.known, 0, from, &text);
        }
    }

    /// Takes the event as it was read from the store. Returns `false` if its text contradicts the pieces. The stored text wins.
    pub(super) fn learn(&mut self, event: &ThreadEvent) -> bool {
        if self.is_closed {
            return true;
        }
        let text = text_of(event);
        let is_consistent = self.known.starts_with(text) || text.starts_with(&self.known);
        if !is_consistent {
            self.known.clear();
            self.ahead.clear();
            self.ahead_bytes = 0;
        }
        if let Some(more) = text.get(self.known.len()..) {
            self.known.push_str(more);
            self.join();
        }
        if self.event.is_none() {
            self.event = Some(ThreadEvent {
                content: None,
                ..event.clone()
            });
        }
        is_consistent
    }

    /// The frame with the text after this offset. `None` if no text follows.
    pub(super) fn delta_frame(&self, from: usize, delta_seq: u64) -> Option<Frame> {
        let more = self.known.get(from..).filter(|more| !more.is_empty())?;
        Some(delta_frame(
            &self.thread_id,
            &self.event_id,
            delta_seq,
            more,
        ))
    }

    /// The event with the known text, and the number of the next piece. `None` until the event was read.
    pub(super) fn whole_frame(&self) -> Option<(Frame, u64)> {
        let event = self.event.as_ref()?;
        let delta_seq = event.delta_seq.unwrap_or_default();
        let frame = whole_frame(event, self.rev, &self.known, delta_seq);
        Some((frame, delta_seq))
    }

    /// Returns true if subscribers need the stored event, because it is not known or a later part of the text is stored.
    pub(super) fn needs_event(&self) -> bool {
        let is_stored =
            self.stored > self.known.len() && self.looked_up.is_none_or(|at| at < self.stored);
        self.event.is_none() || is_stored
    }

    /// Notes a comparison with the database. Returns true if no piece has arrived since the previous one.
    pub(super) fn compare(&mut self) -> bool {
        std::mem::replace(&mut self.is_quiet, true)
    }

    /// Returns false if the event is being read from the store, or has ended according to it.
    pub(super) fn may_be_looked_up(&self) -> bool {
        self.look_up.is_none() && !self.is_closed
    }

    /// Ends the text, so that later pieces have no effect.
    pub(super) fn close(&mut self) {
        *self = Self {
            is_closed: true,
            ..Self::new(&self.thread_id, &self.event_id)
        };
    }

    /// Returns true if the event was read from the store for this connection, or is being read for it.
    pub(super) fn is_checked_for(&self, connection_id: u64) -> bool {
        self.checked.contains(&connection_id)
    }

    /// Forgets that the event was read for a connection, because the connection has another position now.
    pub(super) fn uncheck(&mut self, connection_id: u64) {
        self.checked.remove(&connection_id);
    }

    /// Begins to read the event from the store, also for these connections.
    pub(super) fn begin_look_up(
        &mut self,
        scope: Scope,
        seq: u64,
        connections: Vec<u64>,
    ) -> TextLookUp {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.look_up = Some(number);
        self.looked_up = Some(self.stored);
        self.checked.extend(connections);
        TextLookUp {
            scope,
            thread_id: self.thread_id.clone(),
            event_id: self.event_id.clone(),
            seq,
            number,
        }
    }

    /// Ends this look-up. Returns `false` if it is obsolete.
    pub(super) fn end_look_up(&mut self, look_up: &TextLookUp) -> bool {
        let is_current = self.look_up == Some(look_up.number);
        if is_current {
            self.look_up = None;
        }
        is_current
    }

    /// Permits another look-up after one that failed.
    pub(super) fn forget_look_up(&mut self) {
        self.looked_up = None;
        self.checked.clear();
    }
}

/// Appends the part of a piece that a text lacks. `start` is the offset of the text, and `from` that of the piece, which
/// begins inside of the text or at its end.
fn append(text: &mut String, start: usize, from: usize, piece: &str) {
    let has = start.saturating_add(text.len()).saturating_sub(from);
    if let Some(more) = piece.get(has..) {
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::tests::event;
    use crate::store::ChangeBody;

    fn stored(text: &str) -> ThreadEvent {
        let ChangeBody::Event(event) = event(1, 1).body else {
            unreachable!()
        };
        ThreadEvent {
            content: Some(vec![crate::protocol::ContentPart::text(text)]),
            streaming: Some(true),
            ..*event
        }
    }

    fn text() -> TextElsewhere {
        TextElsewhere::new("t", "e")
    }

    fn grow(text: &mut TextElsewhere, from: usize, piece: &str) {
        text.grow(&TextPiece {
            thread_id: "t".to_owned(),
            event_id: "e".to_owned(),
            seq: 1,
            rev: 1,
            from,
            text: piece.to_owned(),
            stored: 0,
        });
    }

    #[test]
    fn pieces_join_in_any_order() {
        let mut text = text();
        grow(&mut text, 0, "a");
        grow(&mut text, 4, "ef");
        grow(&mut text, 3, "d");
        grow(&mut text, 2, "cd");
        grow(&mut text, 5, "fg");
        assert_eq!(text.known(), "a");
        grow(&mut text, 0, "ab");
        assert_eq!(text.known(), "abcdefg");
        assert_eq!(text.ahead_bytes, 0);
    }

    #[test]
    fn stored_text_closes_a_gap() {
        let mut text = text();
        grow(&mut text, 3, "d");
        assert!(text.learn(&stored("ab")));
        assert_eq!(text.known(), "ab");
        assert!(text.learn(&stored("abc")));
        assert_eq!(text.known(), "abcd");
        assert!(text.learn(&stored("ab")));
        assert_eq!(text.known(), "abcd");
        assert!(!text.learn(&stored("other")));
        assert_eq!(text.known(), "other");
    }

    #[test]
    fn largest_offsets_change_nothing() {
        let mut text = text();
        for from in [usize::MAX - 1, usize::MAX] {
            for piece in ["abc", "de"] {
                grow(&mut text, from, piece);
            }
        }
        grow(&mut text, 0, "abc");
        assert_eq!(text.known(), "abc");
    }

    #[test]
    fn pieces_behind_a_gap_are_limited() {
        let mut text = text();
        let piece = "x".repeat(1024);
        for number in 1..=1_000 {
            grow(&mut text, number * 2048, &piece);
            assert!(text.ahead.len() <= MOST_GAPS && text.ahead_bytes <= MOST_AHEAD);
        }
        grow(&mut text, 5_000_000, &"x".repeat(MOST_AHEAD + 1));
        assert_eq!((text.ahead.len(), text.ahead_bytes), (0, 0));
        for number in 0..1_000 {
            grow(&mut text, 1 + number * 1024, &piece);
            assert!(text.ahead_bytes <= MOST_AHEAD);
        }
        let kept: usize = text.ahead.values().map(String::len).sum();
        assert_eq!(text.ahead_bytes, kept);
    }
}
