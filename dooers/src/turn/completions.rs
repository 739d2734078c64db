//! Notifications about the end of turns.

use super::outcome::TurnOutcome;
#[cfg(feature = "testing")]
use crate::protocol::AnalyticsEvent;
use crate::shrink::shrink;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::{Notify, oneshot};

/// The end of a turn in this process.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// The outcome of the turn.
    pub(crate) outcome: Arc<TurnOutcome>,
    /// The `rev` of the turn's last change in its thread.
    pub(crate) rev: u64,
}

/// The end of a turn.
#[derive(Debug, Clone)]
pub(crate) enum TurnEnd {
    /// The turn ended in this process.
    Here(Ended),
    /// The turn ended in another process. The record of its run shows the outcome.
    Elsewhere {
        /// The `rev` of the turn's last change in its thread, or of a later change.
        rev: u64,
    },
}

/// A message whose turn may have ended in another process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AwaitedTurn {
    pub(crate) thread_id: String,
    pub(crate) event_id: String,
}

/// The tasks that wait for the end of turns, by the event id of the message.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnCompletions {
    waiting: Arc<Mutex<Waiters>>,
    /// Notified when turns were marked.
    marked: Arc<Notify>,
    #[cfg(feature = "testing")]
    record: Arc<std::sync::OnceLock<EndedTurns>>,
}

/// A record of ended turns, by the event id of the message.
#[cfg(feature = "testing")]
pub(crate) type EndedTurns = Arc<Mutex<HashMap<String, TurnRecord>>>;

/// The record of a turn.
#[cfg(feature = "testing")]
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnRecord {
    /// The end of the turn. `None` while attempts are left.
    pub(crate) ended: Option<Ended>,
    /// The analytics events that all attempts have tracked.
    pub(crate) tracked: Vec<AnalyticsEvent>,
}

#[derive(Debug, Default)]
struct Waiters {
    /// The awaited turns, by the event id of the message.
    turns: HashMap<String, Awaited>,
    /// The event ids of the stored messages among them, by thread.
    by_thread: HashMap<String, Vec<String>>,
    /// The threads of the turns that must be looked up in the store, by the event id of the message.
    marked: HashMap<String, String>,
}

/// A turn for whose end tasks wait.
#[derive(Debug, Default)]
struct Awaited {
    senders: Vec<oneshot::Sender<TurnEnd>>,
    /// The thread of the message, once the message is stored.
    thread_id: Option<String>,
}

impl Waiters {
    fn set_stored(&mut self, event_id: &str, thread_id: &str) {
        // The turn may have ended already.
        if let Some(awaited) = self.turns.get_mut(event_id)
            && awaited.thread_id.is_none()
        {
            awaited.thread_id = Some(thread_id.to_owned());
            let events = self.by_thread.entry(thread_id.to_owned());
            events.or_default().push(event_id.to_owned());
        }
    }

    fn remove(&mut self, event_id: &str) -> Option<Awaited> {
        let removed = self.turns.remove(event_id)?;
        shrink(&mut self.turns);
        if let Some(thread_id) = &removed.thread_id {
            if let Some(events) = self.by_thread.get_mut(thread_id) {
                events.retain(|id| id != event_id);
                if events.is_empty() {
                    self.by_thread.remove(thread_id);
                    shrink(&mut self.by_thread);
                }
            }
            self.marked.remove(event_id);
        }
        Some(removed)
    }
}

impl TurnCompletions {
    /// Returns a future that resolves when the turn that answers this message ends.
    pub(super) fn watch(&self, event_id: &str) -> TurnCompletion {
        let (sender, receiver) = oneshot::channel();
        self.waiting()
            .turns
            .entry(event_id.to_owned())
            .or_default()
            .senders
            .push(sender);
        TurnCompletion {
            receiver,
            event_id: event_id.to_owned(),
            endings: self.clone(),
        }
    }

    /// Notifies the tasks that wait for the turn that answers this message. `rev` is the number of the turn's last
    /// change. Call this before that change is published, so that every reader of the change also knows the outcome.
    pub(super) fn notify(&self, event_id: &str, outcome: Arc<TurnOutcome>, rev: u64) {
        let ended = Ended { outcome, rev };
        #[cfg(feature = "testing")]
        if let Some(record) = self.record.get() {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = record.entry(event_id.to_owned()).or_default();
            turn.ended = Some(ended.clone());
        }
        self.send(event_id, &TurnEnd::Here(ended));
    }

    /// Notifies the tasks that wait for the turn that answers this message, because it has ended in another process.
    pub(crate) fn notify_elsewhere(&self, event_id: &str, rev: u64) {
        self.send(event_id, &TurnEnd::Elsewhere { rev });
    }

    fn send(&self, event_id: &str, end: &TurnEnd) {
        let awaited = self.waiting().remove(event_id);
        for sender in awaited.unwrap_or_default().senders {
            // The receiver may have been dropped.
            let _ = sender.send(end.clone());
        }
    }

    /// Marks the awaited turns of a thread that another process has changed, to be looked up in the store.
    pub(crate) fn mark(&self, thread_id: &str) {
        let waiting = &mut *self.waiting();
        let Some(events) = waiting.by_thread.get(thread_id) else {
            return;
        };
        let marked = events.iter().map(|id| (id.clone(), thread_id.to_owned()));
        waiting.marked.extend(marked);
        self.marked.notify_one();
    }

    /// Marks all awaited turns whose messages are stored.
    pub(crate) fn mark_all(&self) {
        let waiting = &mut *self.waiting();
        for (thread_id, events) in &waiting.by_thread {
            let marked = events.iter().map(|id| (id.clone(), thread_id.clone()));
            waiting.marked.extend(marked);
        }
        self.marked.notify_one();
    }

    /// Waits until turns were marked. Dropping the future loses nothing.
    pub(crate) async fn marked(&self) {
        self.marked.notified().await;
    }

    /// Takes up to `limit` marked turns.
    pub(crate) fn take_marked(&self, limit: usize) -> Vec<AwaitedTurn> {
        let marked = &mut self.waiting().marked;
        let taken: Vec<_> = marked.keys().take(limit).cloned().collect();
        let turns = taken.into_iter().filter_map(|event_id| {
            let thread_id = marked.remove(&event_id)?;
            Some(AwaitedTurn {
                thread_id,
                event_id,
            })
        });
        let turns = turns.collect();
        shrink(marked);
        turns
    }

    /// Records the end of every turn from now on, for tests.
    #[cfg(feature = "testing")]
    pub(super) fn record_in(&self, record: &EndedTurns) {
        // There is one record per process.
        let _ = self.record.set(Arc::clone(record));
    }

    /// Adds tracked events to the record of a turn.
    #[cfg(feature = "testing")]
    pub(super) fn record_tracked(&self, event_id: &str, tracked: &[AnalyticsEvent]) {
        if let Some(record) = self.record.get()
            && !tracked.is_empty()
        {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = record.entry(event_id.to_owned()).or_default();
            turn.tracked.extend_from_slice(tracked);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiters> {
        // No code panics while it holds the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future that resolves when a turn ends. It never resolves if this process stops first.
///
/// A turn that ends in another process resolves it only after [`stored_in`](Self::stored_in).
#[derive(Debug)]
pub(crate) struct TurnCompletion {
    receiver: oneshot::Receiver<TurnEnd>,
    event_id: String,
    endings: TurnCompletions,
}

impl TurnCompletion {
    /// Notes that the message is stored in this thread. Another process may end its turn from now on. Before that, a look-up
    /// in the store would find no turn and take it for one that has ended.
    pub(crate) fn stored_in(self, thread_id: &str) -> Self {
        self.endings.waiting().set_stored(&self.event_id, thread_id);
        self
    }
}

impl Future for TurnCompletion {
    type Output = TurnEnd;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<TurnEnd> {
        match Pin::new(&mut self.receiver).poll(context) {
            Poll::Ready(Ok(end)) => Poll::Ready(end),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for TurnCompletion {
    fn drop(&mut self) {
        self.receiver.close();
        let mut waiting = self.endings.waiting();
        if let Some(awaited) = waiting.turns.get_mut(&self.event_id) {
            awaited.senders.retain(|other| !other.is_closed());
            if awaited.senders.is_empty() {
                waiting.remove(&self.event_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn end_notifies_only_those_that_wait_for_it() {
        let endings = TurnCompletions::default();
        let (mut one, mut two) = (endings.watch("e"), endings.watch("e"));
        let mut other = endings.watch("other");
        assert!((&mut one).now_or_never().is_none());
        endings.notify("e", Arc::new(TurnOutcome::Cancelled), 7);
        for ending in [&mut one, &mut two] {
            let TurnEnd::Here(ended) = ending.now_or_never().unwrap() else {
                panic!("the turn ended here");
            };
            assert!(matches!(*ended.outcome, TurnOutcome::Cancelled));
            assert_eq!(ended.rev, 7);
        }
        assert!((&mut other).now_or_never().is_none());
        endings.notify_elsewhere("other", 9);
        let end = other.now_or_never().unwrap();
        assert!(matches!(end, TurnEnd::Elsewhere { rev: 9 }));
    }

    #[test]
    fn dropped_endings_are_removed() {
        let endings = TurnCompletions::default();
        let (one, two) = (endings.watch("e"), endings.watch("e").stored_in("t"));
        endings.mark_all();
        drop(one);
        assert_eq!(endings.waiting().turns["e"].senders.len(), 1);
        drop(two);
        let waiting = endings.waiting();
        assert!(waiting.turns.is_empty() && waiting.by_thread.is_empty());
        assert!(waiting.marked.is_empty());
    }

    #[test]
    fn only_turns_of_stored_messages_are_marked() {
        let endings = TurnCompletions::default();
        let _waiting = [
            endings.watch("begun"),
            endings.watch("a").stored_in("t"),
            endings.watch("b").stored_in("t"),
            endings.watch("b").stored_in("t"),
            endings.watch("c").stored_in("u"),
        ];
        let taken = || {
            let mut taken = endings.take_marked(10);
            taken.sort();
            taken.into_iter().map(|turn| turn.event_id)
        };
        assert!(endings.marked().now_or_never().is_none());
        endings.mark("unknown");
        assert!(endings.marked().now_or_never().is_none());
        endings.mark("t");
        assert!(endings.marked().now_or_never().is_some());
        assert!(taken().eq(["a", "b"]));
        endings.mark_all();
        assert_eq!(endings.take_marked(2).len(), 2);
        assert_eq!(endings.take_marked(2).len(), 1);
        // A turn that has ended is not looked up any more.
        endings.mark_all();
        endings.notify("b", Arc::new(TurnOutcome::Succeeded), 1);
        assert!(taken().eq(["a", "c"]));
    }
}
