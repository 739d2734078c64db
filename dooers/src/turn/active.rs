//! The turns that run in this process, and how they are stopped.

use crate::shrink::shrink;
use crate::store::TurnKey;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a wish to cancel waits for a turn that the store says to run and that has not begun here.
const EARLY: Duration = Duration::from_secs(60);

/// The turns that run in this process.
#[derive(Debug, Default)]
pub(super) struct ActiveTurns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By the messages that they answer.
    turns: HashMap<String, ActiveTurn>,
    /// The messages whose turns were cancelled between their claim in the store and their beginning here.
    early: HashMap<String, Instant>,
}

/// A turn that runs.
#[derive(Debug, Clone)]
pub(super) struct ActiveTurn {
    thread_id: String,
    fence: u64,
    /// Fires when it is cancelled.
    pub(super) cancelled: CancellationToken,
    /// Fires when another process may have taken it over.
    pub(super) lost: CancellationToken,
    /// Fires when it is no more, so that there is nothing to record of it.
    pub(super) gone: CancellationToken,
}

impl ActiveTurns {
    /// Makes a turn known that begins to run, if it is not yet. It is dropped when the process stops.
    ///
    /// An attempt that this process holds no more, since it was claimed again, is dropped.
    pub(super) fn begin(&self, key: &TurnKey, stopped: &CancellationToken) -> ActiveTurn {
        let mut state = self.state();
        match state.turns.get(&key.event_id) {
            Some(turn) if turn.fence == key.fence => return turn.clone(),
            Some(former) => former.gone.cancel(),
            None => {}
        }
        let turn = ActiveTurn {
            thread_id: key.thread_id.clone(),
            fence: key.fence,
            cancelled: CancellationToken::new(),
            lost: CancellationToken::new(),
            gone: stopped.child_token(),
        };
        if state.early.remove(&key.event_id).is_some() {
            turn.cancelled.cancel();
        }
        state.turns.insert(key.event_id.clone(), turn.clone());
        turn
    }

    /// The handler of a turn has ended: there is nothing to stop any more.
    pub(super) fn end(&self, key: &TurnKey) {
        let mut state = self.state();
        let turn = state.turns.get(&key.event_id);
        if turn.is_some_and(|turn| turn.fence == key.fence) {
            state.turns.remove(&key.event_id);
            shrink(&mut state.turns);
        }
    }

    /// The messages whose turns run, and the fences of these.
    pub(super) fn fences(&self) -> HashMap<String, u64> {
        let state = self.state();
        let turns = state.turns.iter();
        turns.map(|(id, turn)| (id.clone(), turn.fence)).collect()
    }

    /// Drops the turns of these messages that have these fences still. The result is how many there were.
    pub(super) fn lose(&self, fences: &HashMap<String, u64>) -> usize {
        let state = self.state();
        let lost = fences.iter().filter_map(|(id, fence)| {
            // One that was claimed again meanwhile is not meant.
            state.turns.get(id).filter(|turn| turn.fence == *fence)
        });
        lost.map(|turn| turn.lost.cancel()).count()
    }

    /// Cancels the turn of this message. If it has not begun yet, it is cancelled when it does.
    pub(super) fn cancel(&self, event_id: &str) {
        let mut state = self.state();
        if let Some(turn) = state.turns.get(event_id) {
            return turn.cancelled.cancel();
        }
        state.early.retain(|_, since| since.elapsed() < EARLY);
        shrink(&mut state.early);
        state.early.insert(event_id.to_owned(), Instant::now());
    }

    /// Drops the turns of a thread that is no more.
    pub(super) fn stop(&self, thread_id: &str) {
        let state = self.state();
        let turns = state.turns.values();
        for turn in turns.filter(|turn| turn.thread_id == thread_id) {
            turn.gone.cancel();
        }
    }

    /// How many turns run.
    pub(super) fn count(&self) -> usize {
        self.state().turns.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(thread_id: &str, event_id: &str, fence: u64) -> TurnKey {
        TurnKey {
            thread_id: thread_id.to_owned(),
            event_id: event_id.to_owned(),
            fence,
        }
    }

    #[test]
    fn a_turn_is_cancelled_whenever_the_wish_comes() {
        let turns = ActiveTurns::default();
        let stopped = CancellationToken::new();
        let first = turns.begin(&key("t", "e1", 1), &stopped).cancelled;
        turns.cancel("e2");
        assert!(!first.is_cancelled(), "it was another one");
        turns.cancel("e1");
        assert!(first.is_cancelled());
        // The wish came before the turn.
        let second = turns.begin(&key("t", "e2", 1), &stopped).cancelled;
        assert!(second.is_cancelled());
        let third = turns.begin(&key("t", "e3", 1), &stopped).cancelled;
        assert!(!third.is_cancelled());
    }

    #[test]
    fn a_turn_that_is_lost_is_dropped_and_another_of_its_thread_is_not() {
        let turns = ActiveTurns::default();
        let stopped = CancellationToken::new();
        let first = turns.begin(&key("t", "e1", 1), &stopped);
        let second = turns.begin(&key("t", "e2", 1), &stopped);
        let lost = HashMap::from([("e1".to_owned(), 1), ("other".to_owned(), 1)]);
        assert_eq!(turns.lose(&lost), 1);
        assert!(first.lost.is_cancelled() && !first.cancelled.is_cancelled());
        assert!(!first.gone.is_cancelled() && !second.lost.is_cancelled());
        turns.end(&key("t", "e1", 1));
        assert_eq!(turns.fences(), HashMap::from([("e2".to_owned(), 1)]));
        assert_eq!(turns.count(), 1);
    }

    #[test]
    fn a_turn_that_is_claimed_again_drops_the_attempt_before() {
        let turns = ActiveTurns::default();
        let stopped = CancellationToken::new();
        let former = turns.begin(&key("t", "e1", 1), &stopped);
        let again = turns.begin(&key("t", "e1", 1), &stopped);
        assert!(!former.gone.is_cancelled(), "it is the same attempt");
        let next = turns.begin(&key("t", "e1", 2), &stopped);
        assert!(former.gone.is_cancelled() && again.gone.is_cancelled());
        // The store was asked for the one before.
        assert_eq!(turns.lose(&HashMap::from([("e1".to_owned(), 1)])), 0);
        assert!(!next.gone.is_cancelled() && !next.lost.is_cancelled());
        turns.end(&key("t", "e1", 1));
        turns.cancel("e1");
        assert!(next.cancelled.is_cancelled(), "it is still known");
    }

    #[test]
    fn a_thread_that_is_no_more_stops_its_turns() {
        let turns = ActiveTurns::default();
        let stopped = CancellationToken::new();
        let one = turns.begin(&key("t", "e1", 1), &stopped);
        let other = turns.begin(&key("other", "e2", 1), &stopped);
        turns.stop("t");
        assert!(one.gone.is_cancelled() && !one.cancelled.is_cancelled());
        assert!(!other.gone.is_cancelled());
        stopped.cancel();
        assert!(other.gone.is_cancelled());
    }
}
