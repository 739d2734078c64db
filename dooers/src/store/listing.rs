//! Which threads and which runs of a scope are looked for.

use super::page::Place;
use super::{Order, Participant, RunCursor, ThreadCursor};
use crate::protocol::{Run, RunStatus};
use chrono::{DateTime, Utc};

/// Which threads of a scope are looked for. They are in the order of their newest events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadQuery {
    /// Those in which somebody takes part, besides what the scope shows.
    pub participant: Option<Participant>,
    /// Those whose newest event came at this time or later …
    pub active_since: Option<DateTime<Utc>>,
    /// … or before this time.
    pub active_before: Option<DateTime<Utc>>,
    /// From which end they come.
    pub order: Order,
    /// Those behind this one.
    pub after: Option<ThreadCursor>,
    /// How many there are at the most.
    pub limit: usize,
}

/// Which runs of a scope are looked for. They are in the order in which they began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunQuery {
    /// Those of one thread.
    pub thread_id: Option<String>,
    /// Those that answer this message.
    pub event_id: Option<String>,
    /// Those that stand so; any, if there is none.
    pub statuses: Vec<RunStatus>,
    /// Those that began at this time or later …
    pub started_since: Option<DateTime<Utc>>,
    /// … or before this time.
    pub started_before: Option<DateTime<Utc>>,
    /// From which end they come.
    pub order: Order,
    /// Those behind this one.
    pub after: Option<RunCursor>,
    /// How many there are at the most.
    pub limit: usize,
}

impl ThreadQuery {
    /// The threads with the newest events.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self {
            participant: None,
            active_since: None,
            active_before: None,
            order: Order::NewestFirst,
            after: None,
            limit,
        }
    }

    /// Which part of all threads that is.
    pub(crate) fn span(&self) -> Span {
        Span::of(
            self.order,
            self.after.as_ref().map(ThreadCursor::place),
            self.active_since,
            self.active_before,
        )
    }
}

impl RunQuery {
    /// The runs that began last.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self {
            thread_id: None,
            event_id: None,
            statuses: Vec::new(),
            started_since: None,
            started_before: None,
            order: Order::NewestFirst,
            after: None,
            limit,
        }
    }

    /// Which part of all runs that is.
    pub(crate) fn span(&self) -> Span {
        Span::of(
            self.order,
            self.after.as_ref().map(RunCursor::place),
            self.started_since,
            self.started_before,
        )
    }

    /// Whether a run of a thread that is looked into passes the filters.
    pub(crate) fn admits(&self, run: &Run) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && (self.event_id.is_none() || self.event_id == run.event_id)
    }
}

/// A part of a list that is ordered by a time and an id.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) order: Order,
    /// It begins behind this place …
    pub(crate) behind: Place,
    /// … and ends at this time, in microseconds. What the oldest first end before, the newest first include.
    pub(crate) end: i64,
}

impl Span {
    fn of(
        order: Order,
        after: Option<Place>,
        since: Option<DateTime<Utc>>,
        before: Option<DateTime<Utc>>,
    ) -> Self {
        let since = since.map_or(i64::MIN, |at| at.timestamp_micros());
        let before = before.map_or(i64::MAX, |at| at.timestamp_micros());
        // No id is empty, so that this place is in front of all of its time.
        let front_of = |at| Place {
            at,
            id: String::new(),
        };
        let (behind, end) = match order {
            Order::NewestFirst => {
                let first = front_of(before);
                (after.map_or(first.clone(), |after| after.min(first)), since)
            }
            Order::OldestFirst => {
                let first = front_of(since);
                (
                    after.map_or(first.clone(), |after| after.max(first)),
                    before,
                )
            }
        };
        Self { order, behind, end }
    }

    /// The first of these that lie in it, in its order.
    pub(crate) fn take<T>(
        &self,
        all: impl Iterator<Item = T>,
        place: impl Fn(&T) -> Place,
        limit: usize,
    ) -> Vec<T> {
        let placed = all.map(|item| (place(&item), item));
        let mut found: Vec<_> = placed.filter(|(place, _)| self.has(place)).collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        if self.order == Order::NewestFirst {
            found.reverse();
        }
        found.truncate(limit);
        found.into_iter().map(|(_, item)| item).collect()
    }

    fn has(&self, place: &Place) -> bool {
        match self.order {
            Order::NewestFirst => *place < self.behind && place.at >= self.end,
            Order::OldestFirst => *place > self.behind && place.at < self.end,
        }
    }
}
