//! The filters of a memory query.

use super::view::Range;
use crate::protocol::{Actor, EventType};
use crate::store::{EventQuery, Order};

/// The filters of a query. An empty list matches everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) actors: Vec<Actor>,
    pub(super) kinds: Vec<EventType>,
    pub(super) user_ids: Vec<String>,
    pub(super) run_ids: Vec<String>,
}

/// The events that a form of memory can represent. `None` means all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct VisibleEvents {
    pub(super) actors: Option<&'static [Actor]>,
    pub(super) kinds: Option<&'static [EventType]>,
}

impl Filter {
    /// The store query for a range. `None` if no event can pass the filters, the range and `shown` at once.
    pub(super) fn query(
        &self,
        range: &Range,
        shown: VisibleEvents,
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

/// The values that are both asked for and available. An empty `asked` means all values. `None` if nothing is left.
fn both<T: Clone + PartialEq>(asked: &[T], there: Option<&[T]>) -> Option<Vec<T>> {
    let Some(there) = there else {
        return Some(asked.to_vec());
    };
    let is_requested = |value: &&T| asked.is_empty() || asked.contains(value);
    let both: Vec<T> = there.iter().filter(is_requested).cloned().collect();
    (!both.is_empty()).then_some(both)
}
