//! What is read of threads.

use super::{Change, SNAPSHOT_EVENTS, ThreadRecord};
use crate::protocol::{Run, Thread, ThreadEvent, timestamp};
use chrono::{DateTime, Utc};
use std::fmt;
use std::str::FromStr;

/// [`SNAPSHOT_EVENTS`] as a distance between places.
pub(crate) const SHOWN: u64 = SNAPSHOT_EVENTS as u64;

/// Where a page of threads ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadCursor {
    /// `last_event_at` of the page's last thread.
    pub last_event_at: DateTime<Utc>,
    /// Its id.
    pub thread_id: String,
}

/// Where a page of runs ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCursor {
    /// `started_at` of the page's last run.
    pub started_at: DateTime<Utc>,
    /// Its id.
    pub run_id: String,
}

impl ThreadCursor {
    pub(crate) fn place(&self) -> Place {
        Place::of(self.last_event_at, &self.thread_id)
    }
}

impl RunCursor {
    pub(crate) fn place(&self) -> Place {
        Place::of(self.started_at, &self.run_id)
    }
}

/// A place in a list that is ordered by a time, and by an id where the times are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) id: String,
}

impl Place {
    pub(crate) fn of(at: DateTime<Utc>, id: &str) -> Self {
        Self {
            at: at.timestamp_micros(),
            id: id.to_owned(),
        }
    }

    fn time(&self) -> DateTime<Utc> {
        timestamp::from_micros(self.at)
    }
}

impl fmt::Display for Place {
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

/// The text is no cursor that a store gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier page")]
pub struct NotACursor;

impl FromStr for Place {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (micros, id) = text.split_once('.').ok_or(NotACursor)?;
        let at = micros.parse().map_err(|_| NotACursor)?;
        if id.is_empty() {
            return Err(NotACursor);
        }
        let id = id.to_owned();
        Ok(Self { at, id })
    }
}

impl FromStr for ThreadCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let place: Place = text.parse()?;
        Ok(Self {
            last_event_at: place.time(),
            thread_id: place.id,
        })
    }
}

impl FromStr for RunCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let place: Place = text.parse()?;
        Ok(Self {
            started_at: place.time(),
            run_id: place.id,
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
    /// What comes after this event, for a client that keeps what it has: its events end before the first edit of
    /// what the client has, which is told in its place.
    After(String),
    /// The newest events, all after this one, and what was edited since, for a client that may replace what it has.
    Covering(String),
}

/// A thread with some of its events, read at one `rev`.
#[derive(Debug)]
pub struct Snapshot {
    /// The thread.
    pub thread: ThreadRecord,
    /// The oldest first.
    pub events: Vec<ThreadEvent>,
    /// The runs of these events, any that goes on, and those that changed since the event that was named.
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
    /// It was sent those from this place on. That it has the ones before is what it says, having come back.
    pub sent_from: u64,
    /// It has every change of them up to this `rev`.
    pub rev: u64,
    /// For a reader that came back and has not got all: what it has from before is older than the rest.
    pub known: Option<Known>,
}

impl Position {
    /// Up to which place the reader has events from before, and up to which `rev` it has the changes of those and of
    /// the runs.
    pub(crate) fn known(&self) -> Known {
        self.known.unwrap_or(Known {
            last_seq: self.last_seq,
            rev: self.rev,
        })
    }

    /// Where the reader stands that was sent the events up to a place, and with them what changed up to that `rev`.
    ///
    /// What comes with an event is what happened before it. So a reader may go at any time and name the last event that
    /// it got, and what it has not got is newer than that event.
    pub(crate) fn moved(&self, last_seq: u64, rev: u64) -> Self {
        let known = self.known.map(|known| Known {
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

/// What a reader that came back has from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// It has the events up to this place …
    pub last_seq: u64,
    /// … and what changed of them, and of the runs, up to this `rev`.
    pub rev: u64,
}

impl Known {
    /// The first of the known events whose edits are told.
    pub(crate) fn first_seq(&self) -> u64 {
        (self.last_seq + 1).saturating_sub(SHOWN).max(1)
    }

    /// The last event that a snapshot may show of so many.
    pub(crate) fn last_shown(&self, total: u64) -> u64 {
        total.min(self.last_seq + SHOWN)
    }
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
    /// The `rev` of the thread at which they were read.
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
                Err(NotACursor),
                "{made_up}"
            );
        }
    }
}
