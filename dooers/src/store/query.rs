//! Queries for events of a thread.

use super::Order;
use crate::protocol::{Actor, EventType, ThreadEvent};

/// A query for events of a thread. An empty list does not filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// Only events that one of these actors caused.
    pub actors: Vec<Actor>,
    /// Only events of one of these types.
    pub kinds: Vec<EventType>,
    /// Only events that one of these users sent.
    pub user_ids: Vec<String>,
    /// Only events of one of these runs.
    pub run_ids: Vec<String>,
    /// Only events whose `seq` is greater. To continue with the oldest first, pass the `seq` of the last event of the
    /// previous result.
    pub after: u64,
    /// Only events whose `seq` is less. To continue with the newest first, pass the `seq` of the last event of the
    /// previous result.
    pub before: u64,
    /// `true` to include removed events, which are empty messages.
    pub with_deleted: bool,
    /// The direction of the results.
    pub order: Order,
    /// Maximum number of events.
    pub limit: usize,
}

impl EventQuery {
    /// A query for the newest events of any type.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self {
            actors: Vec::new(),
            kinds: Vec::new(),
            user_ids: Vec::new(),
            run_ids: Vec::new(),
            after: 0,
            before: u64::MAX,
            with_deleted: false,
            order: Order::NewestFirst,
            limit,
        }
    }

    /// A query for the oldest events of any type.
    #[must_use]
    pub fn oldest(limit: usize) -> Self {
        Self {
            order: Order::OldestFirst,
            ..Self::newest(limit)
        }
    }

    /// Returns the matching events. `events` must be ordered by `seq`.
    pub(crate) fn find<'a>(
        &self,
        events: impl DoubleEndedIterator<Item = &'a ThreadEvent>,
    ) -> Vec<ThreadEvent> {
        let found = events.filter(|event| self.admits(event));
        match self.order {
            Order::NewestFirst => found.rev().take(self.limit).cloned().collect(),
            Order::OldestFirst => found.take(self.limit).cloned().collect(),
        }
    }

    fn admits(&self, event: &ThreadEvent) -> bool {
        let user_id = event.user.as_ref().map(|user| &user.user_id);
        self.after < event.seq
            && event.seq < self.before
            && (self.with_deleted || !event.is_deleted())
            && is_among(&self.actors, Some(&event.actor))
            && is_among(&self.kinds, Some(&event.kind))
            && is_among(&self.user_ids, user_id)
            && is_among(&self.run_ids, event.run_id.as_ref())
    }
}

fn is_among<T: PartialEq>(admitted: &[T], value: Option<&T>) -> bool {
    admitted.is_empty() || value.is_some_and(|value| admitted.contains(value))
}
