//! The items of a dispatched turn's stream.

use crate::protocol::{Run, Thread, ThreadEvent};

/// A change in a dispatched turn.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DispatchEvent {
    /// The run of the turn started or ended.
    Run(Run),
    /// An event of the turn. It is new, or replaces the event with the same id. The text of a `streaming` event grows by
    /// the deltas that follow, until the event is sent again with its whole text.
    Event(Box<ThreadEvent>),
    /// A piece of a streamed text.
    Delta {
        /// The id of the event to which the text belongs.
        event_id: String,
        /// The number of the piece. Pieces with a number below the event's `delta_seq` are already in its text.
        delta_seq: u64,
        /// The text to append.
        text: String,
    },
    /// The row of the thread: its title, metadata, participants and the time of its last event. As in a frame, it contains
    /// at most [`MAX_SHOWN_USERS`](crate::protocol::MAX_SHOWN_USERS) of the thread's users.
    Thread(Box<Thread>),
}
