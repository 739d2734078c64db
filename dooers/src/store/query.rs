//! Which events of a thread are looked for.

use super::Order;
use crate::protocol::{Actor, EventType, ThreadEvent};

/// Which events of a thread are looked for. An empty list lets every event pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// Those caused by one of these.
    pub actors: Vec<Actor>,
    /// Those of one of these kinds.
    pub kinds: Vec<EventType>,
    /// Those that one of these users sent.
    pub user_ids: Vec<String>,
    /// Those that one of these runs made.
    pub run_ids: Vec<String>,
    /// Those behind this place: to go on, with the oldest first, that of the last one of the answer.
    pub after: u64,
    /// Those before this place: to go on, with the newest first, that of the last one of the answer.
    pub before: u64,
    /// Whether those that were removed are among them. They are empty messages.
    pub with_deleted: bool,
    /// From which end they come.
    pub order: Order,
    /// How many there are at the most.
    pub limit: usize,
}

impl EventQuery {
    /// The newest events of any kind.
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

    /// The oldest events of any kind.
    #[must_use]
    pub fn oldest(limit: usize) -> Self {
        Self {
            order: Order::OldestFirst,
            ..Self::newest(limit)
        }
    }

    /// What is found among these events of a thread, which are in the order of their places.
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
