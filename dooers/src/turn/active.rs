//! The turns that run in this process, and how they are stopped.

use std::collections::{HashMap, HashSet};
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
    turn: Option<ActiveTurn>,
}

/// A turn that runs.
#[derive(Debug, Clone)]
pub(super) struct ActiveTurn {
    /// The message that is answered.
    event_id: String,
    /// Fires when it is cancelled …
    pub(super) cancelled: CancellationToken,
    /// … and when it is no longer this process's, so that it is dropped without a trace.
    pub(super) lost: CancellationToken,
}

impl ActiveTurns {
    /// Makes a thread known whose turns begin to run. The token fires when they are to be dropped without a trace.
    pub(super) fn begin(&self, thread_id: &str, stop: CancellationToken) {
        let thread = ActiveThread { stop, turn: None };
        self.state().threads.insert(thread_id.to_owned(), thread);
    }

    /// Makes the thread's next turn known.
    pub(super) fn next(
        &self,
        thread_id: &str,
        event_id: &str,
        stop: &CancellationToken,
    ) -> ActiveTurn {
        let mut state = self.state();
        let lost = stop.child_token();
        let turn = ActiveTurn {
            event_id: event_id.to_owned(),
            cancelled: lost.child_token(),
            lost,
        };
        if state.early.remove(event_id).is_some() {
            turn.cancelled.cancel();
        }
        if let Some(thread) = state.threads.get_mut(thread_id) {
            thread.turn = Some(turn.clone());
        }
        turn
    }

    /// The messages whose turns run.
    pub(super) fn events(&self) -> HashSet<String> {
        let state = self.state();
        let turns = state
            .threads
            .values()
            .filter_map(|thread| thread.turn.as_ref());
        turns.map(|turn| turn.event_id.clone()).collect()
    }

    /// The handler of the thread's turn has ended: there is nothing to stop any more.
    pub(super) fn rest(&self, thread_id: &str) {
        if let Some(thread) = self.state().threads.get_mut(thread_id) {
            thread.turn = None;
        }
    }

    /// Drops the turns of these messages, which are no longer this process's. The result is how many there were.
    pub(super) fn lose(&self, events: &HashSet<String>) -> usize {
        let state = self.state();
        let turns = state
            .threads
            .values()
            .filter_map(|thread| thread.turn.as_ref());
        let lost = turns.filter(|turn| events.contains(&turn.event_id));
        lost.map(|turn| turn.lost.cancel()).count()
    }

    /// Cancels the turn of this message. If it has not begun yet, it is cancelled when it does.
    pub(super) fn cancel(&self, thread_id: &str, event_id: &str) {
        let mut state = self.state();
        let thread = state.threads.get(thread_id);
        let turn = thread.and_then(|thread| thread.turn.as_ref());
        if let Some(turn) = turn.filter(|turn| turn.event_id == event_id) {
            return turn.cancelled.cancel();
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
        let first = turns.next("t", "e1", &stop).cancelled;
        turns.cancel("t", "e2");
        assert!(!first.is_cancelled(), "it was another one");
        turns.cancel("t", "e1");
        assert!(first.is_cancelled());
        // The wish came before the turn.
        assert!(turns.next("t", "e2", &stop).cancelled.is_cancelled());
        assert!(!turns.next("t", "e3", &stop).cancelled.is_cancelled());
        turns.end("t", &stop);
        assert_eq!(turns.count(), 0);
    }

    #[test]
    fn a_turn_that_is_lost_is_dropped_and_the_threads_next_one_is_not() {
        let turns = ActiveTurns::default();
        let stop = CancellationToken::new();
        turns.begin("t", stop.clone());
        let first = turns.next("t", "e1", &stop);
        assert_eq!(turns.events(), HashSet::from(["e1".to_owned()]));
        turns.lose(&HashSet::from(["e1".to_owned(), "other".to_owned()]));
        assert!(first.lost.is_cancelled() && first.cancelled.is_cancelled());
        assert!(!stop.is_cancelled());
        assert!(!turns.next("t", "e2", &stop).lost.is_cancelled());
    }

    #[test]
    fn a_thread_that_is_no_more_stops_its_turn() {
        let turns = ActiveTurns::default();
        let stop = CancellationToken::new();
        turns.begin("t", stop.clone());
        let turn = turns.next("t", "e1", &stop);
        turns.stop("t");
        assert!(turn.lost.is_cancelled() && turn.cancelled.is_cancelled() && stop.is_cancelled());
        // Its turns run in another task by now.
        let other = CancellationToken::new();
        turns.begin("t", other.clone());
        turns.end("t", &stop);
        assert_eq!(turns.count(), 1);
        turns.end("t", &other);
        assert_eq!(turns.count(), 0);
    }
}
