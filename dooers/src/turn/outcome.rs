//! The outcome of an attempt, and notifications about the end of turns.

use crate::AgentError;
use crate::handler::AttemptOutcome;
#[cfg(feature = "testing")]
use crate::protocol::AnalyticsEvent;
use crate::protocol::RunStatus;
use crate::shrink::shrink;
use crate::store::LONGEST_BACK_OFF;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// Delay before the second attempt. Each further attempt waits twice as long, up to [`LONGEST_BACK_OFF`].
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);

/// The outcome of a turn, as it is recorded.
#[derive(Debug)]
pub(crate) enum TurnOutcome {
    Succeeded,
    Failed(AgentError),
    Cancelled,
    /// The turn took longer than its agent allows.
    TimedOut,
    /// The turn took too long while the server was stopping, or its process died or lost the turn.
    Interrupted,
}

impl TurnOutcome {
    pub(super) fn of(result: Result<(), AgentError>) -> Self {
        match result {
            Ok(()) => Self::Succeeded,
            Err(error) => Self::Failed(error),
        }
    }

    /// The outcome, as middleware sees it.
    pub(super) fn shown(&self) -> AttemptOutcome<'_> {
        match self {
            Self::Succeeded => AttemptOutcome::Succeeded,
            Self::Failed(error) => AttemptOutcome::Failed(error),
            Self::Cancelled => AttemptOutcome::Cancelled,
            Self::TimedOut => AttemptOutcome::TimedOut,
            Self::Interrupted => AttemptOutcome::Interrupted,
        }
    }

    /// The status of the run of a turn with this outcome.
    pub(super) fn status(&self) -> RunStatus {
        match self {
            Self::Succeeded => RunStatus::Succeeded,
            Self::Failed(_) | Self::TimedOut | Self::Interrupted => RunStatus::Failed,
            Self::Cancelled => RunStatus::Canceled,
        }
    }

    /// The outcome of a turn that ended without its handler, by the status of its run. `None` if the run is
    /// running or has succeeded.
    pub(super) fn of_record(status: RunStatus) -> Option<Self> {
        match status {
            RunStatus::Canceled => Some(Self::Cancelled),
            RunStatus::Failed => Some(Self::Interrupted),
            RunStatus::Running | RunStatus::Succeeded => None,
        }
    }

    /// The delay before the next attempt. `None` if another attempt makes no sense.
    pub(super) fn retry_after(&self, attempt: u32) -> Option<Duration> {
        match self {
            Self::Failed(error) if error.is_retryable() => {
                let doubled = FIRST_BACK_OFF.saturating_mul(1 << (attempt - 1).min(16));
                Some(doubled.min(LONGEST_BACK_OFF))
            }
            Self::Interrupted => Some(Duration::ZERO),
            Self::Succeeded | Self::Failed(_) | Self::Cancelled | Self::TimedOut => None,
        }
    }
}

/// The end of a turn.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// The outcome of the turn.
    pub(crate) outcome: Arc<TurnOutcome>,
    /// The `rev` of the turn's last change in its thread.
    pub(crate) rev: u64,
}

/// The tasks that wait for the end of turns, by the event id of the message.
#[derive(Debug, Clone, Default)]
pub(super) struct TurnCompletions {
    waiting: Arc<Mutex<Waiters>>,
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

type Waiters = HashMap<String, Vec<oneshot::Sender<Ended>>>;

impl TurnCompletions {
    /// Returns a future that resolves when the turn that answers this message ends.
    pub(super) fn watch(&self, event_id: &str) -> TurnCompletion {
        let (sender, receiver) = oneshot::channel();
        self.waiting()
            .entry(event_id.to_owned())
            .or_default()
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
        let mut all = self.waiting();
        let waiting = all.remove(event_id).unwrap_or_default();
        shrink(&mut all);
        drop(all);
        for sender in waiting {
            // The receiver may have been dropped.
            let _ = sender.send(ended.clone());
        }
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

/// A future that resolves when a turn ends. It never resolves if the turn ends in another process or this process
/// stops first.
#[derive(Debug)]
pub(crate) struct TurnCompletion {
    receiver: oneshot::Receiver<Ended>,
    event_id: String,
    endings: TurnCompletions,
}

impl Future for TurnCompletion {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        match Pin::new(&mut self.receiver).poll(context) {
            Poll::Ready(Ok(ended)) => Poll::Ready(ended),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for TurnCompletion {
    fn drop(&mut self) {
        self.receiver.close();
        let mut waiting = self.endings.waiting();
        if let Some(others) = waiting.get_mut(&self.event_id) {
            others.retain(|other| !other.is_closed());
            if others.is_empty() {
                waiting.remove(&self.event_id);
                shrink(&mut waiting);
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
            let ended = ending.now_or_never().unwrap();
            assert!(matches!(*ended.outcome, TurnOutcome::Cancelled));
            assert_eq!(ended.rev, 7);
        }
        assert!((&mut other).now_or_never().is_none());
    }

    #[test]
    fn dropped_endings_are_removed() {
        let endings = TurnCompletions::default();
        let (one, two) = (endings.watch("e"), endings.watch("e"));
        drop(one);
        assert_eq!(endings.waiting()["e"].len(), 1);
        drop(two);
        assert!(endings.waiting().is_empty());
    }
}
