//! The writer's cache of threads.
//!
//! A turn is written by several operations. Between them, the writer remembers the state of the thread, so that it does
//! not need to read the thread each time. The state may be outdated, because another process may have written in the
//! thread. Results from the cache are therefore valid only once the statement that writes has checked the version of
//! the thread.

use crate::store::Scope;
use crate::store::state::ThreadState;
use std::collections::HashMap;

/// Minimum number of remembered threads. The maximum is twice as many.
const REMEMBERED: usize = 2048;

/// A thread's keys in the database, and its version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThreadSlot {
    pub(crate) pk: i64,
    pub(crate) scope_pk: i64,
    pub(crate) workspace_pk: i64,
    pub(crate) version: i64,
}

/// A thread as it was last read or written.
#[derive(Debug, Clone)]
pub(crate) struct Cached {
    pub(crate) place: ThreadSlot,
    pub(crate) state: ThreadState,
}

/// The most recently used threads.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    young: HashMap<String, Cached>,
    /// Threads that were not used since `young` was last full. They are dropped when `young` is full again.
    old: HashMap<String, Cached>,
}

impl Cache {
    /// Removes a thread from the cache, if it is visible in this scope. The caller puts it back with its new state.
    pub(crate) fn take(&mut self, scope: &Scope, thread_id: &str) -> Option<Cached> {
        let is_visible = |cached: &Cached| cached.state.is_visible_in(scope);
        for threads in [&mut self.young, &mut self.old] {
            if threads.get(thread_id).is_some_and(is_visible) {
                return threads.remove(thread_id);
            }
        }
        None
    }

    /// Adds a thread, but only with its open events, its running runs and the messages of its turns.
    pub(crate) fn put(&mut self, mut cached: Cached) {
        let state = &mut cached.state;
        let turns = &state.turns;
        let is_requested = |id: &String| turns.iter().any(|turn| turn.event_id == *id);
        state
            .events
            .retain(|kept| kept.open_in.is_some() || is_requested(&kept.event.id));
        state
            .runs
            .retain(|kept| kept.run.status == crate::protocol::RunStatus::Running);
        state.feedback.clear();
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young
            .insert(cached.state.row.record.thread.id.clone(), cached);
    }
}
