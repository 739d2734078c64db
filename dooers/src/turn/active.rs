//! The turns that run in this process, and how they are stopped.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a wish to cancel waits for a turn that the store says to run and that has not begun here.
const EARLY: Duration = Duration::from_secs(60);

/// The turns that run in this process: one of each thread.
#[derive(Debug, Default)]
pub(super) struct ActiveTurns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    threads: HashMap<String, ActiveThread>,
    /// The messages whose turns were cancelled between their claim in the store and their beginning here.
    early: HashMap<String, Instant>,
}

/// A thread whose turns run, one after the other.
#[derive(Debug)]
struct ActiveThread {
    /// Fires when the thread is no more, or the process stops. A task that runs turns is known by its own.
    stop: CancellationToken,
    /// The message that is answered, and what cancels its turn.
    turn: Option<(String, CancellationToken)>,
}

impl ActiveTurns {
    /// Makes a thread known whose turns begin to run. The token fires when they are to be dropped without a trace.
    pub(super) fn begin(&self, thread_id: &str, stop: CancellationToken) {
        let thread = ActiveThread { stop, turn: None };
        self.state().threads.insert(thread_id.to_owned(), thread);
    }

    /// Makes the thread's next turn known. The token fires when it is cancelled.
    pub(super) fn next(
        &self,
        thread_id: &str,
        event_id: &str,
        stop: &CancellationToken,
    ) -> CancellationToken {
        let mut state = self.state();
        let cancelled = stop.child_token();
        if state.early.remove(event_id).is_some() {
            cancelled.cancel();
        }
        if let Some(thread) = state.threads.get_mut(thread_id) {
            thread.turn = Some((event_id.to_owned(), cancelled.clone()));
        }
        cancelled
    }

    /// Cancels the turn of this message. If it has not begun yet, it is cancelled when it does.
    pub(super) fn cancel(&self, thread_id: &str, event_id: &str) {
        let mut state = self.state();
        let thread = state.threads.get(thread_id);
        let turn = thread.and_then(|thread| thread.turn.as_ref());
        if let Some((_, cancelled)) = turn.filter(|(running, _)| running == event_id) {
            return cancelled.cancel();
        }
        state.early.retain(|_, since| since.elapsed() < EARLY);
        state.early.insert(event_id.to_owned(), Instant::now());
    }

    /// Drops the turn of a thread that is no more.
    pub(super) fn stop(&self, thread_id: &str) {
        if let Some(thread) = self.state().threads.remove(thread_id) {
            thread.stop.cancel();
        }
    }

    /// Forgets a thread, unless its turns run in another task by now.
    pub(super) fn end(&self, thread_id: &str, stop: &CancellationToken) {
        let mut state = self.state();
        let is_own = |thread: &ActiveThread| thread.stop == *stop;
        if state.threads.get(thread_id).is_some_and(is_own) {
            state.threads.remove(thread_id);
        }
    }

    /// How many threads have a turn that runs.
    pub(super) fn count(&self) -> usize {
        self.state().threads.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_cancelled_whenever_the_wish_comes() {
        let turns = ActiveTurns::default();
        let stop = CancellationToken::new();
        turns.begin("t", stop.clone());
        let first = turns.next("t", "e1", &stop);
        turns.cancel("t", "e2");
        assert!(!first.is_cancelled(), "it was another one");
        turns.cancel("t", "e1");
        assert!(first.is_cancelled());
        // The wish came before the turn.
        assert!(turns.next("t", "e2", &stop).is_cancelled());
        assert!(!turns.next("t", "e3", &stop).is_cancelled());
        turns.end("t", &stop);
        assert_eq!(turns.count(), 0);
    }

    #[test]
    fn a_thread_that_is_no_more_stops_its_turn() {
        let turns = ActiveTurns::default();
        let stop = CancellationToken::new();
        turns.begin("t", stop.clone());
        let turn = turns.next("t", "e1", &stop);
        turns.stop("t");
        assert!(turn.is_cancelled() && stop.is_cancelled());
        // Its turns run in another task by now.
        let other = CancellationToken::new();
        turns.begin("t", other.clone());
        turns.end("t", &stop);
        assert_eq!(turns.count(), 1);
        turns.end("t", &other);
        assert_eq!(turns.count(), 0);
    }
}
