//! Threads in memory.

use super::thread::ThreadState;
use crate::protocol::timestamp;
use crate::store::analytics::AnalyticsFilter;
use crate::store::list_clock::ListClocks;
use crate::store::outbox::OutboxEvent;
use crate::store::rules::{SentEvent, SentKey};
use crate::store::usage::{UsageRow, UsageTotals};
use crate::store::{Scope, StoreError};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Threads by their ids, and the stored events of the messages that clients sent.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    pub(crate) by_id: HashMap<String, ThreadState>,
    pub(crate) sent: HashMap<SentKey, SentEvent>,
    /// The ledger of usage.
    pub(crate) usage: Vec<UsageRow>,
    /// The totals of the ledger, as far as they are known.
    pub(crate) totals: UsageTotals,
    /// Ids that are in use by threads that are not loaded, in any scope.
    pub(crate) taken: TakenIds,
    /// The clocks of the lists in which threads are created.
    pub(crate) clocks: ListClocks,
    /// The analytics events for the webhook that operations have added.
    pub(crate) outbox: PendingEvents,
}

/// Analytics events for the webhook that are not stored yet.
#[derive(Debug, Default)]
pub(crate) struct PendingEvents {
    /// The events that are stored. `None` if the outbox is off.
    pub(crate) filter: Option<Arc<AnalyticsFilter>>,
    /// The events, with the ids of their threads.
    pub(crate) events: Vec<(String, OutboxEvent)>,
}

/// The ids of threads that are not loaded, and of their events and runs. Only the ids that an operation asks for are
/// included.
#[derive(Debug, Default)]
pub(crate) struct TakenIds {
    pub(crate) threads: HashSet<String>,
    /// The events, with the ids of their threads.
    pub(crate) events: HashMap<String, String>,
    pub(crate) runs: HashSet<String>,
}

impl Threads {
    /// Returns the thread with this id, if it is visible in this scope.
    pub(crate) fn get(&self, scope: &Scope, thread_id: &str) -> Result<&ThreadState, StoreError> {
        self.by_id
            .get(thread_id)
            .filter(|thread| thread.is_visible_in(scope))
            .ok_or(StoreError::NotFound("thread"))
    }

    /// Removes messages of deleted threads: see [`Store::forget_sent`](crate::store::Store::forget_sent).
    pub(crate) fn forget_sent(&mut self, deleted_before: DateTime<Utc>, limit: usize) -> usize {
        let now = timestamp::now();
        let mut due = Vec::new();
        for (key, sent) in &mut self.sent {
            let Some(deleted_at) = &mut sent.deleted_at else {
                continue;
            };
            *deleted_at = now.min(*deleted_at);
            if *deleted_at < deleted_before && due.len() < limit {
                due.push(key.clone());
            }
        }
        for key in &due {
            self.sent.remove(key);
        }
        due.len()
    }
}
