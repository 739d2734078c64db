//! Threads in memory.

use super::thread::ThreadState;
use crate::protocol::timestamp;
use crate::store::list_clock::ListClocks;
use crate::store::rules::{SentEvent, SentKey};
use crate::store::{Scope, StoreError};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Threads by their ids, and which events came of the messages that clients sent.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    pub(crate) by_id: HashMap<String, ThreadState>,
    pub(crate) sent: HashMap<SentKey, SentEvent>,
    /// For threads that are not all here.
    pub(crate) taken: Taken,
    /// The clocks of the lists in which threads are made.
    pub(crate) clocks: ListClocks,
}

/// The ids that events and runs of other threads have: only those that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) events: HashSet<String>,
    pub(crate) runs: HashSet<String>,
}

impl Threads {
    /// The thread of this id, if it can be seen in this scope.
    pub(crate) fn get(&self, scope: &Scope, thread_id: &str) -> Result<&ThreadState, StoreError> {
        self.by_id
            .get(thread_id)
            .filter(|thread| thread.is_visible_in(scope))
            .ok_or(StoreError::NotFound("thread"))
    }

    /// Forgets messages of deleted threads: see [`Store::forget_sent`](crate::store::Store::forget_sent).
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
