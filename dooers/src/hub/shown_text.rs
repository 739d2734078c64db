//! The state in which clients have streamed texts.

use crate::protocol::{ContentPart, ThreadEvent};
use std::collections::BTreeMap;

/// The part of a streamed text that a client has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownText {
    /// The client has these bytes of the text, and `delta_seq` is the number of its next piece.
    Exactly { bytes: usize, delta_seq: u64 },
    /// The client may have any part of the text, so it needs the whole text first.
    Unsure,
}

/// The unfinished texts that a client has, by the `seq` of their events.
pub(super) type ShownTexts = BTreeMap<u64, ShownText>;

impl ShownText {
    /// The state of a client that was sent this event. `None` if its text does not grow.
    pub(super) fn of(event: &ThreadEvent) -> Option<Self> {
        (event.streaming == Some(true)).then(|| Self::Exactly {
            bytes: text_of(event).len(),
            delta_seq: event.delta_seq.unwrap_or_default(),
        })
    }

    /// Returns true if the client lacks a part of a text with this length.
    pub(super) fn lags(self, length: usize) -> bool {
        match self {
            Self::Exactly { bytes, .. } => bytes < length,
            Self::Unsure => true,
        }
    }
}

/// The text of an event.
pub(super) fn text_of(event: &ThreadEvent) -> &str {
    let first = event.content.iter().flatten().next();
    first.and_then(ContentPart::as_text).unwrap_or_default()
}

/// The texts among events that were read from the store for a client.
#[derive(Debug, Default)]
pub(super) struct ReadTexts {
    /// The events of texts that grow.
    pub(super) open: Vec<ThreadEvent>,
    /// The `seq` of each other event.
    pub(super) closed: Vec<u64>,
}

impl ReadTexts {
    pub(super) fn add(&mut self, event: &ThreadEvent) {
        self.open.retain(|open| open.seq != event.seq);
        if event.streaming == Some(true) {
            self.open.push(event.clone());
        } else {
            self.closed.push(event.seq);
        }
    }
}
