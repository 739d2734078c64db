//! The turns that run in this process, and the ways to stop them.

use crate::handler::Outbox;
use crate::shrink::shrink;
use crate::store::TurnKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Retention time of a request to cancel a turn that was claimed in the store but has not started here.
const EARLY: Duration = Duration::from_secs(60);

/// The turns that run in this process.
#[derive(Debug, Default)]
pub(super) struct ActiveTurns(Mutex<ActiveState>);

#[derive(Debug, Default)]
struct ActiveState {
    /// Turns by the event id of the message that they answer.
    turns: HashMap<String, ActiveTurn>,
    /// The event ids of messages whose turns were cancelled after they were claimed in the store and before they
    /// started here.
    early: HashMap<String, Instant>,
    /// The fences of turns whose handlers have ended and whose ends are being stored, by the event ids of their messages.
    ending: HashMap<String, u64>,
    /// The number of operations in progress that may claim a turn, by thread.
    claiming: HashMap<String, usize>,
}

impl ActiveState {
    /// Returns true if this process runs this turn, or a later attempt of it.
    fn knows(&self, key: &TurnKey) -> bool {
        let runs = self.turns.get(&key.event_id);
        runs.is_some_and(|turn| turn.fence >= key.fence)
            || self
                .ending
                .get(&key.event_id)
                .is_some_and(|fence| *fence >= key.fence)
    }
}

/// An operation that may claim a turn of a thread. Drop it after the claimed turn was registered.
#[derive(Debug)]
pub(crate) struct Claiming<'a> {
    turns: &'a ActiveTurns,
    thread_id: String,
}

impl Drop for Claiming<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        if let Some(operations) = state.claiming.get_mut(&self.thread_id) {
            *operations -= 1;
            if *operations == 0 {
                state.claiming.remove(&self.thread_id);
                shrink(&mut state.claiming);
            }
        }
    }
}

/// The result of looking for a turn that this process owns according to the store.
#[derive(Debug)]
pub(super) enum TurnLookup<'a> {
    /// The turn runs here, or its end is being stored.
    Runs,
    /// An operation in progress may have claimed the turn.
    MayRun,
    /// The answer to the claim of the turn was lost. The holder of this value may claim the turn again.
    Unknown(Claiming<'a>),
}

/// A running turn.
#[derive(Debug, Clone)]
pub(super) struct ActiveTurn {
    thread_id: String,
    fence: u64,
    /// The outbox of the handler, once the handler has started.
    outbox: Weak<Outbox>,
    /// Fires when the turn is cancelled.
    pub(super) cancelled: CancellationToken,
    /// Fires when another process may have taken over the turn.
    pub(super) lost: CancellationToken,
    /// Fires when the turn must be dropped without a record: its thread was deleted, a later attempt has started, or the
    /// process stops.
    pub(super) gone: CancellationToken,
}

impl ActiveTurns {
    /// Registers a turn that starts to run, unless it is registered already. The turn is dropped when `stopped` fires.
    ///
    /// If an earlier attempt of the turn is registered, it is dropped.
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
            outbox: Weak::new(),
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

    /// Adds the outbox of the handler of a turn, which starts now.
    pub(super) fn attach(&self, key: &TurnKey, outbox: &Arc<Outbox>) {
        let mut state = self.state();
        let turn = state.turns.get_mut(&key.event_id);
        if let Some(turn) = turn.filter(|turn| turn.fence == key.fence) {
            turn.outbox = Arc::downgrade(outbox);
        }
    }

    /// The outbox of the handler of a turn, if it runs here.
    pub(super) fn outbox(&self, key: &TurnKey) -> Option<Arc<Outbox>> {
        let state = self.state();
        let turn = state.turns.get(&key.event_id);
        turn.filter(|turn| turn.fence == key.fence)?
            .outbox
            .upgrade()
    }

    /// The turns with their outboxes, as far as their handlers have started.
    pub(super) fn outboxes(&self) -> Vec<(TurnKey, Arc<Outbox>)> {
        let state = self.state();
        let with_outbox = state.turns.iter().filter_map(|(event_id, turn)| {
            let key = TurnKey {
                thread_id: turn.thread_id.clone(),
                event_id: event_id.clone(),
                fence: turn.fence,
            };
            Some((key, turn.outbox.upgrade()?))
        });
        with_outbox.collect()
    }

    /// Removes a turn whose handler has ended. Call [`forget`](Self::forget) when its end was stored.
    pub(super) fn end(&self, key: &TurnKey) {
        let mut state = self.state();
        let turn = state.turns.get(&key.event_id);
        if turn.is_some_and(|turn| turn.fence == key.fence) {
            state.turns.remove(&key.event_id);
            shrink(&mut state.turns);
            state.ending.insert(key.event_id.clone(), key.fence);
        }
    }

    /// Forgets a turn whose end was stored, or does not have to be stored.
    pub(super) fn forget(&self, key: &TurnKey) {
        let mut state = self.state();
        if state.ending.get(&key.event_id) == Some(&key.fence) {
            state.ending.remove(&key.event_id);
            shrink(&mut state.ending);
        }
    }

    /// Registers an operation that may claim a turn of this thread.
    pub(super) fn claiming(&self, thread_id: &str) -> Claiming<'_> {
        *self
            .state()
            .claiming
            .entry(thread_id.to_owned())
            .or_default() += 1;
        Claiming {
            turns: self,
            thread_id: thread_id.to_owned(),
        }
    }

    /// Looks for a turn that this process owns according to the store.
    ///
    /// An operation of this process claimed the turn. If no such operation is in progress, the turn is registered, or the
    /// answer to the claim was lost.
    pub(super) fn find(&self, key: &TurnKey) -> TurnLookup<'_> {
        let mut state = self.state();
        if state.knows(key) {
            return TurnLookup::Runs;
        }
        if state.claiming.contains_key(&key.thread_id) {
            return TurnLookup::MayRun;
        }
        state.claiming.insert(key.thread_id.clone(), 1);
        drop(state);
        TurnLookup::Unknown(Claiming {
            turns: self,
            thread_id: key.thread_id.clone(),
        })
    }

    /// The fences of the running turns, by the event id of their message.
    pub(super) fn fences(&self) -> HashMap<String, u64> {
        let state = self.state();
        let turns = state.turns.iter();
        turns.map(|(id, turn)| (id.clone(), turn.fence)).collect()
    }

    /// Drops the handlers of these turns as lost, if the turns still have these fences. Returns the number of dropped turns.
    pub(super) fn lose(&self, fences: &HashMap<String, u64>) -> usize {
        let state = self.state();
        let lost = fences.iter().filter_map(|(id, fence)| {
            // A turn that was claimed again in the meantime keeps running.
            state.turns.get(id).filter(|turn| turn.fence == *fence)
        });
        lost.map(|turn| turn.lost.cancel()).count()
    }

    /// Cancels the turn of this message. If the turn has not started yet, it is cancelled when it starts. Returns `false` if
    /// the turn does not run here.
    pub(super) fn cancel(&self, event_id: &str) -> bool {
        let mut state = self.state();
        if let Some(turn) = state.turns.get(event_id) {
            turn.cancelled.cancel();
            return true;
        }
        state.early.retain(|_, since| since.elapsed() < EARLY);
        shrink(&mut state.early);
        state.early.insert(event_id.to_owned(), Instant::now());
        false
    }

    /// Returns true if the turn of this message runs here, or if a turn is being claimed.
    pub(super) fn may_run(&self, event_id: &str) -> bool {
        let state = self.state();
        state.turns.contains_key(event_id) || !state.claiming.is_empty()
    }

    /// Returns true if the turn of this message runs here, or its end is being stored.
    pub(super) fn knows(&self, event_id: &str) -> bool {
        let state = self.state();
        state.turns.contains_key(event_id) || state.ending.contains_key(event_id)
    }

    /// Returns true if a turn of this thread runs here.
    pub(super) fn runs_in(&self, thread_id: &str) -> bool {
        let state = self.state();
        let mut turns = state.turns.values();
        turns.any(|turn| turn.thread_id == thread_id)
    }

    /// Drops the turns of a deleted thread.
    pub(super) fn stop(&self, thread_id: &str) {
        let state = self.state();
        let turns = state.turns.values();
        for turn in turns.filter(|turn| turn.thread_id == thread_id) {
            turn.gone.cancel();
        }
    }

    /// The number of running turns.
    pub(super) fn count(&self) -> usize {
        self.state().turns.len()
    }

    fn state(&self) -> MutexGuard<'_, ActiveState> {
        // No code panics while it holds the lock.
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
    fn cancel_works_before_and_after_the_start() {
        let turns = ActiveTurns::default();
        let stopped = CancellationToken::new();
        let first = turns.begin(&key("t", "e1", 1), &stopped).cancelled;
        assert!(!turns.cancel("e2"));
        assert!(!first.is_cancelled(), "the request was for another turn");
        assert!(turns.may_run("e1") && !turns.may_run("e2"));
        assert!(turns.runs_in("t") && !turns.runs_in("other"));
        assert!(turns.cancel("e1"));
        assert!(first.is_cancelled());
        // The request came before the turn.
        let second = turns.begin(&key("t", "e2", 1), &stopped).cancelled;
        assert!(second.is_cancelled());
        let third = turns.begin(&key("t", "e3", 1), &stopped).cancelled;
        assert!(!third.is_cancelled());
    }

    #[test]
    fn lose_drops_only_the_named_turn() {
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
    fn next_claim_drops_the_earlier_attempt() {
        let turns = ActiveTurns::default();
        let stopped = CancellationToken::new();
        let former = turns.begin(&key("t", "e1", 1), &stopped);
        let again = turns.begin(&key("t", "e1", 1), &stopped);
        assert!(
            !former.gone.is_cancelled(),
            "begin was called twice for one attempt"
        );
        let next = turns.begin(&key("t", "e1", 2), &stopped);
        assert!(former.gone.is_cancelled() && again.gone.is_cancelled());
        // The store was read before the next attempt began.
        assert_eq!(turns.lose(&HashMap::from([("e1".to_owned(), 1)])), 0);
        assert!(!next.gone.is_cancelled() && !next.lost.is_cancelled());
        turns.end(&key("t", "e1", 1));
        turns.cancel("e1");
        assert!(
            next.cancelled.is_cancelled(),
            "the next attempt is still registered"
        );
    }

    #[test]
    fn turn_is_unknown_only_if_no_claim_is_in_progress() {
        let turns = ActiveTurns::default();
        let stopped = CancellationToken::new();
        let turn = key("t", "e1", 1);
        let claiming = turns.claiming("t");
        let other = turns.claiming("t");
        assert!(matches!(turns.find(&turn), TurnLookup::MayRun));
        drop(claiming);
        assert!(matches!(turns.find(&turn), TurnLookup::MayRun));
        drop(other);
        let TurnLookup::Unknown(claiming) = turns.find(&turn) else {
            panic!("the turn should be unknown");
        };
        assert!(
            matches!(turns.find(&turn), TurnLookup::MayRun),
            "the turn is claimed again only once"
        );
        turns.begin(&turn, &stopped);
        drop(claiming);
        assert!(matches!(turns.find(&turn), TurnLookup::Runs));
        turns.end(&turn);
        assert!(
            matches!(turns.find(&turn), TurnLookup::Runs),
            "the end of the turn is being stored"
        );
        turns.forget(&turn);
        assert!(matches!(turns.find(&turn), TurnLookup::Unknown(_)));
        // The store was read before the next attempt began.
        turns.begin(&key("t", "e1", 2), &stopped);
        assert!(matches!(turns.find(&turn), TurnLookup::Runs));
        assert!(turns.state().claiming.is_empty() && turns.state().ending.is_empty());
    }

    #[test]
    fn stop_drops_the_turns_of_a_deleted_thread() {
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
