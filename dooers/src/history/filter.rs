//! What is asked for of a thread.

use super::view::Range;
use crate::protocol::{Actor, EventType};
use crate::store::{EventQuery, Order};

/// What somebody asks for. An empty list asks for everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) actors: Vec<Actor>,
    pub(super) kinds: Vec<EventType>,
    pub(super) user_ids: Vec<String>,
    pub(super) run_ids: Vec<String>,
}

/// What a form of remembering can show at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) actors: Option<&'static [Actor]>,
    pub(super) kinds: Option<&'static [EventType]>,
}

impl Filter {
    /// What to look for in a range. None if nothing there can be both asked for and shown.
    pub(super) fn query(
        &self,
        range: &Range,
        shown: Shown,
        order: Order,
        limit: usize,
    ) -> Option<EventQuery> {
        if range.after.saturating_add(1) >= range.before {
            return None;
        }
        let actors = both(&self.actors, shown.actors)?;
        Some(EventQuery {
            actors: both(&actors, range.actors)?,
            kinds: both(&self.kinds, shown.kinds)?,
            user_ids: self.user_ids.clone(),
            run_ids: both(&self.run_ids, range.run_ids.as_deref())?,
            after: range.after,
            before: range.before,
            order,
            limit,
            with_deleted: false,
        })
    }
}

/// What is both asked for and there; an empty list is everything. None if it is nothing.
fn both<T: Clone + PartialEq>(asked: &[T], there: Option<&[T]>) -> Option<Vec<T>> {
    let Some(there) = there else {
        return Some(asked.to_vec());
    };
    let is_asked = |value: &&T| asked.is_empty() || asked.contains(value);
    let both: Vec<T> = there.iter().filter(is_asked).cloned().collect();
    (!both.is_empty()).then_some(both)
}
