//! What is read of threads.

use super::{Change, ThreadRecord};
use crate::protocol::{Run, Thread, ThreadEvent, timestamp};
use chrono::{DateTime, Utc};
use std::fmt;
use std::str::FromStr;

/// Where a page of threads ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadCursor {
    /// `last_event_at` of the page's last thread.
    pub last_event_at: DateTime<Utc>,
    /// Its id.
    pub thread_id: String,
}

impl fmt::Display for ThreadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}",
            self.last_event_at.timestamp_micros(),
            self.thread_id
        )
    }
}

/// The text is no cursor that a store gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier page")]
pub struct NotACursor;

impl FromStr for ThreadCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (micros, thread_id) = text.split_once('.').ok_or(NotACursor)?;
        let micros = micros.parse().map_err(|_| NotACursor)?;
        if thread_id.is_empty() {
            return Err(NotACursor);
        }
        Ok(Self {
            last_event_at: timestamp::from_micros(micros),
            thread_id: thread_id.to_owned(),
        })
    }
}

/// A page of threads.
#[derive(Debug)]
pub struct ThreadPage {
    /// Those with the newest events first.
    pub threads: Vec<Thread>,
    /// Where the next page begins; none after the last.
    pub next: Option<ThreadCursor>,
    /// How many there are in all; 0 on later pages.
    pub total_count: u64,
}

/// What a snapshot begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotFrom {
    /// The newest events.
    Newest,
    /// What comes after this event, for a client that keeps what it has.
    After(String),
    /// The newest events, and all after this one, for a client that may replace what it has.
    Covering(String),
}

/// A thread with some of its events, read at one `rev`.
#[derive(Debug)]
pub struct Snapshot {
    /// The thread.
    pub thread: ThreadRecord,
    /// The oldest first.
    pub events: Vec<ThreadEvent>,
    /// The runs of these events, and any that goes on.
    pub runs: Vec<Run>,
    /// Whether there are older events.
    pub has_more: bool,
    /// Whether it goes on from the event that was named.
    pub recovered: bool,
    /// Where the reader stands now.
    pub position: Position,
    /// Whether the reader has all; if not, it catches up from its position.
    pub is_complete: bool,
}

/// How much of a thread a reader has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// It has the events from this place on …
    pub first_seq: u64,
    /// … to this one.
    pub last_seq: u64,
    /// It has every change of them up to this `rev`.
    pub rev: u64,
    /// For a reader that came back: up to this place it has the events, and the runs, as they were before it went.
    pub known: Option<Known>,
}

/// What a reader that came back has from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// It has the events up to this place …
    pub last_seq: u64,
    /// … and the runs, as they were at this `rev`.
    pub rev: u64,
}

/// What a reader has not got.
#[derive(Debug)]
pub struct CatchUp {
    /// What to send it, in this order.
    pub changes: Vec<Change>,
    /// Where it stands then.
    pub position: Position,
    /// Whether it has all then.
    pub is_complete: bool,
}

/// A page of events.
#[derive(Debug)]
pub struct EventPage {
    /// The oldest first.
    pub events: Vec<ThreadEvent>,
    /// Whether there are older ones.
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_made_up_one_does_not() {
        let cursor = ThreadCursor {
            last_event_at: timestamp::from_micros(1_700_000_000_000_001),
            thread_id: "a.b".to_owned(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for made_up in ["", "garbage", "12", "12.", ".x", "2026-01-01T00:00:00Z|x"] {
            assert_eq!(
                made_up.parse::<ThreadCursor>(),
                Err(NotACursor),
                "{made_up}"
            );
        }
    }
}
