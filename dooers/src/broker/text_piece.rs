//! The pieces of streamed texts on their way to other nodes.

use crate::protocol::{ThreadEvent, json_bytes};
use serde::{Deserialize, Serialize};

/// Maximum size in bytes of a part, as JSON. A message has room for several parts.
const LONGEST_PART: usize = 2_000;

/// Maximum number of bytes of one text that wait to be sent.
const MOST_WAITING: usize = 64 * 1024;

/// A piece of a streamed text, and the state of the text.
///
/// Offsets and lengths are in bytes of the whole text. A receiver therefore recognizes pieces that it has and pieces that are
/// missing, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TextPiece {
    #[serde(rename = "t")]
    pub(crate) thread_id: String,
    #[serde(rename = "i")]
    pub(crate) event_id: String,
    /// The `seq` of the event.
    #[serde(rename = "s")]
    pub(crate) seq: u64,
    /// The `rev` of the change that created the event. 0 if it is not known.
    #[serde(rename = "r")]
    pub(crate) rev: u64,
    /// The offset of the piece.
    #[serde(rename = "f")]
    pub(crate) from: usize,
    /// The piece. Empty if only the state of the text is reported.
    #[serde(rename = "x", default, skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
    /// The length of the text that is stored.
    #[serde(rename = "k", default)]
    pub(crate) stored: usize,
}

impl TextPiece {
    /// The state of a text that begins to be streamed. `rev` is that of the change that created its event.
    pub(crate) fn begin(event: &ThreadEvent, rev: u64) -> Self {
        Self {
            thread_id: event.thread_id.clone(),
            event_id: event.id.clone(),
            seq: event.seq,
            rev,
            from: 0,
            text: String::new(),
            stored: 0,
        }
    }

    /// Returns the next piece, and advances the state of the text behind it.
    pub(crate) fn next(&mut self, text: String) -> Self {
        let from = self.from;
        self.from += text.len();
        Self {
            from,
            text,
            ..self.clone()
        }
    }

    /// The offset of the next piece.
    fn end(&self) -> usize {
        self.from + self.text.len()
    }

    /// Adds a later piece of the same text. If too much waits, the earlier pieces are lost.
    pub(super) fn merge(&mut self, later: Self) {
        self.stored = self.stored.max(later.stored);
        if later.text.is_empty() {
            return;
        }
        let is_next = later.from == self.end();
        if is_next && self.text.len() + later.text.len() <= MOST_WAITING {
            self.text.push_str(&later.text);
        } else {
            self.from = later.from;
            self.text = later.text;
        }
    }

    /// Divides a piece that may be too large for a message, between characters.
    pub(super) fn into_parts(self) -> Vec<Self> {
        // An escaped character takes at most six bytes per byte.
        if self.text.len() <= LONGEST_PART / 6 {
            return vec![self];
        }
        let mut parts = Vec::new();
        let mut from = self.from;
        let mut rest = self.text.as_str();
        while !rest.is_empty() {
            let (text, later) = rest.split_at(length_of_part(rest));
            parts.push(Self {
                from,
                text: text.to_owned(),
                thread_id: self.thread_id.clone(),
                event_id: self.event_id.clone(),
                ..self
            });
            from += text.len();
            rest = later;
        }
        parts
    }
}

/// The length in bytes of the longest part at the beginning of a text.
fn length_of_part(text: &str) -> usize {
    let mut size = 0;
    for (at, character) in text.char_indices() {
        size += json_bytes(&character) - r#""""#.len();
        if size > LONGEST_PART {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(from: usize, text: &str) -> TextPiece {
        TextPiece {
            thread_id: "t".to_owned(),
            event_id: "e".to_owned(),
            seq: 1,
            rev: 1,
            from,
            text: text.to_owned(),
            stored: 0,
        }
    }

    #[test]
    fn contiguous_pieces_become_one() {
        let mut merged = piece(4, "One ");
        merged.merge(TextPiece {
            stored: 6,
            ..piece(8, "")
        });
        merged.merge(piece(8, "word"));
        let expected = TextPiece {
            stored: 6,
            ..piece(4, "One word")
        };
        assert_eq!(merged, expected);
        // A gap cannot be expressed, so the later piece remains.
        merged.merge(piece(20, "more"));
        assert_eq!((merged.from, merged.text.as_str()), (20, "more"));
    }

    #[test]
    fn pieces_above_the_limit_replace_the_earlier_ones() {
        let long = "x".repeat(MOST_WAITING);
        let mut merged = piece(0, &long);
        merged.merge(piece(long.len(), "y"));
        assert_eq!(merged, piece(long.len(), "y"));
    }

    #[test]
    fn long_piece_is_divided_between_characters() {
        for text in ["x", "\u{1}", "é\"", "🦀"] {
            let long = piece(7, &text.repeat(3_000));
            let parts = long.clone().into_parts();
            assert!(parts.len() > 1);
            let mut joined = String::new();
            for part in &parts {
                assert_eq!(part.from, 7 + joined.len());
                assert!(json_bytes(part) <= LONGEST_PART + 100);
                joined.push_str(&part.text);
            }
            assert_eq!(joined, long.text);
        }
        assert_eq!(piece(7, "").into_parts(), [piece(7, "")]);
    }
}
