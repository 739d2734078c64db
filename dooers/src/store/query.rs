//! Which events of a thread are looked for.

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
    /// Those behind this place.
    pub after: u64,
    /// Those before this place.
    pub before: u64,
    /// From which end they come.
    pub order: EventOrder,
    /// How many there are at the most.
    pub limit: usize,
}

/// From which end of a thread events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOrder {
    /// The newest first. To go on, ask for those before the last one of the answer.
    NewestFirst,
    /// The oldest first. To go on, ask for those after the last one of the answer.
    OldestFirst,
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
            order: EventOrder::NewestFirst,
            limit,
        }
    }

    /// The oldest events of any kind.
    #[must_use]
    pub fn oldest(limit: usize) -> Self {
        Self {
            order: EventOrder::OldestFirst,
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
            EventOrder::NewestFirst => found.rev().take(self.limit).cloned().collect(),
            EventOrder::OldestFirst => found.take(self.limit).cloned().collect(),
        }
    }

    fn admits(&self, event: &ThreadEvent) -> bool {
        let user_id = event.user.as_ref().map(|user| &user.user_id);
        self.after < event.seq
            && event.seq < self.before
            && is_among(&self.actors, Some(&event.actor))
            && is_among(&self.kinds, Some(&event.kind))
            && is_among(&self.user_ids, user_id)
            && is_among(&self.run_ids, event.run_id.as_ref())
    }
}

fn is_among<T: PartialEq>(admitted: &[T], value: Option<&T>) -> bool {
    admitted.is_empty() || value.is_some_and(|value| admitted.contains(value))
}
