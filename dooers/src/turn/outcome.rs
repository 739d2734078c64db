//! How an attempt to answer ends, and who waits for that.

use crate::AgentError;
use crate::shrink::shrink;
use crate::store::LONGEST_BACK_OFF;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long to wait before the second attempt. Each further attempt waits twice as long, up to [`LONGEST_BACK_OFF`].
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);

/// How a turn ends in the record.
#[derive(Debug)]
pub(crate) enum Outcome {
    Succeeded,
    Failed(AgentError),
    Cancelled,
    /// It took longer than its agent allows.
    TimedOut,
    /// The server stops, and it took too long; or its process was lost.
    Interrupted,
}

impl Outcome {
    pub(super) fn of(result: Result<(), AgentError>) -> Self {
        match result {
            Ok(()) => Self::Succeeded,
            Err(error) => Self::Failed(error),
        }
    }

    /// How long after this attempt another one makes sense; none if it does not.
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
    /// How it ended.
    pub(crate) outcome: Arc<Outcome>,
    /// The number of its last change in its thread.
    pub(crate) rev: u64,
}

/// Who waits for the end of which turn, by the messages that they answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Endings {
    waiting: Arc<Mutex<Waiting>>,
    #[cfg(feature = "testing")]
    record: Arc<std::sync::OnceLock<EndedTurns>>,
}

/// A record of the turns that ended, by the messages that they answered.
#[cfg(feature = "testing")]
pub(crate) type EndedTurns = Arc<Mutex<HashMap<String, Ended>>>;

type Waiting = HashMap<String, Vec<oneshot::Sender<Ended>>>;

impl Endings {
    /// Waits for the end of the turn that answers this message.
    pub(super) fn watch(&self, event_id: &str) -> Ending {
        let (tell, told) = oneshot::channel();
        self.waiting()
            .entry(event_id.to_owned())
            .or_default()
            .push(tell);
        Ending {
            told,
            event_id: event_id.to_owned(),
            endings: self.clone(),
        }
    }

    /// The turn that answers this message has ended by a change of this number. Tell it before that is published: who
    /// has read the last change then knows how the turn ended.
    pub(super) fn tell(&self, event_id: &str, outcome: Outcome, rev: u64) {
        let ended = Ended {
            outcome: Arc::new(outcome),
            rev,
        };
        #[cfg(feature = "testing")]
        if let Some(record) = self.record.get() {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            record.insert(event_id.to_owned(), ended.clone());
        }
        let mut all = self.waiting();
        let waiting = all.remove(event_id).unwrap_or_default();
        shrink(&mut all);
        drop(all);
        for tell in waiting {
            // Who waited may be gone.
            let _ = tell.send(ended.clone());
        }
    }

    /// Writes down every end from now on, for a test that looks at them later.
    #[cfg(feature = "testing")]
    pub(super) fn record_in(&self, record: &EndedTurns) {
        // There is one record a process.
        let _ = self.record.set(Arc::clone(record));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while the lock is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the end of a turn. It never comes if the turn ends in another process, or if this one stops before.
#[derive(Debug)]
pub(crate) struct Ending {
    told: oneshot::Receiver<Ended>,
    event_id: String,
    endings: Endings,
}

impl Future for Ending {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        match Pin::new(&mut self.told).poll(context) {
            Poll::Ready(Ok(ended)) => Poll::Ready(ended),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.told.close();
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
    fn an_end_is_told_to_all_who_wait_for_it_and_to_nobody_else() {
        let endings = Endings::default();
        let (mut one, mut two) = (endings.watch("e"), endings.watch("e"));
        let mut other = endings.watch("other");
        assert!((&mut one).now_or_never().is_none());
        endings.tell("e", Outcome::Cancelled, 7);
        for ending in [&mut one, &mut two] {
            let told = ending.now_or_never().unwrap();
            assert!(matches!(*told.outcome, Outcome::Cancelled));
            assert_eq!(told.rev, 7);
        }
        assert!((&mut other).now_or_never().is_none());
    }

    #[test]
    fn nothing_is_kept_for_those_who_wait_no_more() {
        let endings = Endings::default();
        let (one, two) = (endings.watch("e"), endings.watch("e"));
        drop(one);
        assert_eq!(endings.waiting()["e"].len(), 1);
        drop(two);
        assert!(endings.waiting().is_empty());
    }
}
