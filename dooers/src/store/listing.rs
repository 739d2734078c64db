//! Queries for threads and runs of a scope.

use super::page::ListPosition;
use super::{Order, Participant, RunCursor, ThreadCursor};
use crate::protocol::{Run, RunStatus};
use chrono::{DateTime, Utc};

/// A query for threads of a scope. Results are ordered by the time of the newest event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadQuery {
    /// Only threads with this participant, in addition to the scope's own filter.
    pub participant: Option<Participant>,
    /// Only threads whose newest event is at this time or later.
    pub active_since: Option<DateTime<Utc>>,
    /// Only threads whose newest event is before this time.
    pub active_before: Option<DateTime<Utc>>,
    /// The direction of the results.
    pub order: Order,
    /// Only threads after this one, in the order of the results.
    pub after: Option<ThreadCursor>,
    /// Maximum number of threads.
    pub limit: usize,
}

/// A query for runs of a scope. Results are ordered by the time of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunQuery {
    /// Only runs of this thread.
    pub thread_id: Option<String>,
    /// Only runs that answer this message.
    pub event_id: Option<String>,
    /// Only runs with one of these statuses. If empty, runs with any status.
    pub statuses: Vec<RunStatus>,
    /// Only runs that started at this time or later.
    pub started_since: Option<DateTime<Utc>>,
    /// Only runs that started before this time.
    pub started_before: Option<DateTime<Utc>>,
    /// The direction of the results.
    pub order: Order,
    /// Only runs after this one, in the order of the results.
    pub after: Option<RunCursor>,
    /// Maximum number of runs.
    pub limit: usize,
}

impl ThreadQuery {
    /// A query for the threads with the newest events.
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

    /// Returns the part of the list of all threads that the query covers.
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
    /// A query for the runs that started last.
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

    /// Returns the part of the list of all runs that the query covers.
    pub(crate) fn span(&self) -> Span {
        Span::of(
            self.order,
            self.after.as_ref().map(RunCursor::place),
            self.started_since,
            self.started_before,
        )
    }

    /// Returns `true` if a run passes the filters for the status and the message.
    pub(crate) fn admits(&self, run: &Run) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && (self.event_id.is_none() || self.event_id == run.event_id)
    }
}

/// A part of a list that is ordered by time and id.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) order: Order,
    /// The part begins behind this place.
    pub(crate) behind: ListPosition,
    /// The time at which the part ends, in microseconds since 1970: exclusive if the oldest come first, inclusive if
    /// the newest come first.
    pub(crate) end: i64,
}

impl Span {
    pub(crate) fn of(
        order: Order,
        after: Option<ListPosition>,
        since: Option<DateTime<Utc>>,
        before: Option<DateTime<Utc>>,
    ) -> Self {
        let since = since.map_or(i64::MIN, |at| at.timestamp_micros());
        let before = before.map_or(i64::MAX, |at| at.timestamp_micros());
        // Ids are not empty, so this place is in front of all items of its time.
        let front_of = |at| ListPosition {
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

    /// Returns the first `limit` items that lie in the part, in its order.
    pub(crate) fn take<T>(
        &self,
        all: impl Iterator<Item = T>,
        place: impl Fn(&T) -> ListPosition,
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

    fn has(&self, place: &ListPosition) -> bool {
        match self.order {
            Order::NewestFirst => *place < self.behind && place.at >= self.end,
            Order::OldestFirst => *place > self.behind && place.at < self.end,
        }
    }
}
