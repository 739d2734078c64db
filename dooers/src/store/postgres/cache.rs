//! Threads that the writer knows from before.
//!
//! What a turn writes comes in several operations. Between them the writer remembers how the thread stands, so that it
//! need not read it each time. It may be wrong: another process may have written in it. So what was remembered is only
//! believed together with the statement that writes, which finds out.

use crate::store::state::ThreadState;
use std::collections::HashMap;

/// So many threads are remembered at least, and twice as many at the most.
const REMEMBERED: usize = 2048;

/// Where a thread lies in the database, and its version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) pk: i64,
    pub(super) scope_pk: i64,
    pub(super) workspace_pk: i64,
    pub(super) version: i64,
}

/// A thread as it was read or written.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    pub(super) place: Place,
    pub(super) state: ThreadState,
}

/// Threads that the writer knows from before: those that were used last.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: HashMap<String, Cached>,
    /// Those that were not used since there were enough young ones. They are forgotten when there are enough again.
    old: HashMap<String, Cached>,
}

impl Cache {
    /// Takes a thread out, to be put back as it has become.
    pub(super) fn take(&mut self, thread_id: &str) -> Option<Cached> {
        let young = self.young.remove(thread_id);
        young.or_else(|| self.old.remove(thread_id))
    }

    /// Remembers a thread, but only what goes on in it.
    pub(super) fn put(&mut self, mut cached: Cached) {
        let state = &mut cached.state;
        let turns = &state.turns;
        let is_asked = |id: &String| turns.iter().any(|turn| turn.event_id == *id);
        state
            .events
            .retain(|kept| kept.open_in.is_some() || is_asked(&kept.event.id));
        state
            .runs
            .retain(|kept| kept.run.status == crate::protocol::RunStatus::Running);
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young
            .insert(cached.state.row.record.thread.id.clone(), cached);
    }
}
