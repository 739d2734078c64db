//! Pages, snapshots and positions of readers.

use super::{Change, ThreadRecord};
use crate::protocol::{FeedbackValue, Run, Thread, ThreadEvent, timestamp};
use chrono::{DateTime, Utc};
use std::fmt;
use std::str::FromStr;

/// Maximum number of events in a snapshot, unless a client of the oldest protocol version missed more.
#[doc(hidden)]
pub const SNAPSHOT_EVENTS: usize = 100;

/// [`SNAPSHOT_EVENTS`] as a distance between places.
pub(crate) const SHOWN: u64 = SNAPSHOT_EVENTS as u64;

/// The end of a page of threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadCursor {
    /// The `last_event_at` of the page's last thread.
    pub last_event_at: DateTime<Utc>,
    /// The id of that thread.
    pub thread_id: String,
}

/// The end of a page of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCursor {
    /// The `started_at` of the page's last run.
    pub started_at: DateTime<Utc>,
    /// The id of that run.
    pub run_id: String,
}

impl ThreadCursor {
    /// The cursor behind this thread.
    pub(crate) fn of(thread: &Thread) -> Self {
        Self {
            last_event_at: thread.last_event_at,
            thread_id: thread.id.clone(),
        }
    }

    pub(crate) fn place(&self) -> ListPosition {
        ListPosition::of(self.last_event_at, &self.thread_id)
    }
}

impl RunCursor {
    pub(crate) fn place(&self) -> ListPosition {
        ListPosition::of(self.started_at, &self.run_id)
    }
}

/// A place in a list that is ordered by time, and by id if the times are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListPosition {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) id: String,
}

impl ListPosition {
    pub(crate) fn of(at: DateTime<Utc>, id: &str) -> Self {
        Self {
            at: at.timestamp_micros(),
            id: id.to_owned(),
        }
    }

    pub(crate) fn time(&self) -> DateTime<Utc> {
        timestamp::from_micros(self.at)
    }
}

impl fmt::Display for ListPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

impl fmt::Display for ThreadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

impl fmt::Display for RunCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

/// The error for a text that is not a cursor of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier page")]
pub struct InvalidCursor;

impl FromStr for ListPosition {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (micros, id) = text.split_once('.').ok_or(InvalidCursor)?;
        let at = micros.parse().map_err(|_| InvalidCursor)?;
        if id.is_empty() {
            return Err(InvalidCursor);
        }
        let id = id.to_owned();
        Ok(Self { at, id })
    }
}

impl FromStr for ThreadCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let place: ListPosition = text.parse()?;
        Ok(Self {
            last_event_at: place.time(),
            thread_id: place.id,
        })
    }
}

impl FromStr for RunCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let place: ListPosition = text.parse()?;
        Ok(Self {
            started_at: place.time(),
            run_id: place.id,
        })
    }
}

/// A page of threads.
#[derive(Debug)]
pub struct ThreadPage {
    /// The threads, those with the newest events first.
    pub threads: Vec<Thread>,
    /// The start of the next page. `None` on the last page.
    pub next: Option<ThreadCursor>,
    /// The number of all threads of the scope, or of all matches that the first page of a search scans. 0 on later pages.
    pub total_count: u64,
}

/// The part of a thread that a snapshot shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotFrom {
    /// The newest events.
    Newest,
    /// The events after this one, for a client that keeps the events it has. The snapshot ends before the first edit of
    /// one of those, because the edit is sent in its place while the reader catches up.
    After(String),
    /// The newest events, including all events after this one and all that have been edited since, for a client that
    /// may replace the events it has.
    Covering(String),
}

/// A thread with some of its events, read at one `rev`.
#[derive(Debug)]
pub struct Snapshot {
    /// The thread.
    pub thread: ThreadRecord,
    /// The events, oldest first.
    pub events: Vec<ThreadEvent>,
    /// The runs that these events name or that answer them, all running runs, and the runs that have changed since the named event.
    pub runs: Vec<Run>,
    /// `true` if there are older events.
    pub has_more: bool,
    /// `true` if the snapshot continues from the named event.
    pub recovered: bool,
    /// The position of the reader after the snapshot.
    pub position: Position,
    /// `true` if the reader has everything. Otherwise it catches up from its position.
    pub is_complete: bool,
    /// The reader's own feedback on these events, in their order.
    pub feedback: Vec<ShownFeedback>,
}

/// The feedback of a reader on an event that a snapshot shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFeedback {
    /// The event.
    pub event_id: String,
    /// The reader's opinion.
    pub value: FeedbackValue,
}

/// The part of a thread that a reader has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The `seq` of the reader's first event.
    pub first_seq: u64,
    /// The `seq` of the reader's last event.
    pub last_seq: u64,
    /// The `seq` of the first event that was sent to the reader. After a resume, the reader claims to have the events
    /// before it.
    pub sent_from: u64,
    /// The reader has all changes of its events up to this `rev`.
    pub rev: u64,
    /// For a reader that resumed and is not yet up to date: its state before the resume, which is older than the rest.
    pub known: Option<ClientCheckpoint>,
}

impl Position {
    /// Returns the last event that the reader had before it resumed, and the `rev` up to which it has the changes of
    /// those events and of the runs.
    pub(crate) fn known(&self) -> ClientCheckpoint {
        self.known.unwrap_or(ClientCheckpoint {
            last_seq: self.last_seq,
            rev: self.rev,
        })
    }

    /// Returns the position of the reader after it was sent the events up to `last_seq` and the changes up to `rev`.
    ///
    /// An event is sent together with the changes before it. A reader may therefore disconnect at any time and name the
    /// last event that it received: everything that it has not received is newer than that event.
    pub(crate) fn moved(&self, last_seq: u64, rev: u64) -> Self {
        let known = self.known.map(|known| ClientCheckpoint {
            rev: known.rev.max(rev),
            ..known
        });
        let rev = self.rev.max(rev);
        Self {
            first_seq: self.first_seq,
            last_seq,
            sent_from: self.sent_from,
            rev,
            known: known.filter(|known| known.rev < rev),
        }
    }
}

/// The state of a resumed reader before it resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCheckpoint {
    /// The `seq` of the last event.
    pub last_seq: u64,
    /// The reader has the changes of these events, and of the runs, up to this `rev`.
    pub rev: u64,
}

impl ClientCheckpoint {
    /// Returns the first of the known events whose edits are sent.
    pub(crate) fn first_seq(&self) -> u64 {
        (self.last_seq + 1).saturating_sub(SHOWN).max(1)
    }

    /// Returns the last event that a snapshot may show, in a thread with `total` events.
    pub(crate) fn last_shown(&self, total: u64) -> u64 {
        total.min(self.last_seq + SHOWN)
    }
}

/// A step in which a reader catches up.
#[derive(Debug)]
pub struct CatchUp {
    /// The changes to send to the reader, in this order.
    pub changes: Vec<Change>,
    /// The position of the reader after these changes.
    pub position: Position,
    /// `true` if the reader has everything after these changes.
    pub is_complete: bool,
}

/// A page of events.
#[derive(Debug)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<ThreadEvent>,
    /// The runs that these events name or that answer them, in the order of their start.
    pub runs: Vec<Run>,
    /// `true` if there are older events.
    pub has_more: bool,
    /// The `rev` of the thread at which the events were read.
    pub rev: u64,
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
                Err(InvalidCursor),
                "{made_up}"
            );
        }
    }
}
