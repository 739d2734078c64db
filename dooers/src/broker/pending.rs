//! Announcements that wait to be sent.

use super::message::Batch;
use super::notice::ThreadNotice;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The time between two messages of a node. Changes in between share a message.
pub(super) const WINDOW: Duration = Duration::from_millis(10);

/// Maximum number of threads that wait. Above this number, the other nodes are notified that any thread may have changed.
const MOST_THREADS: usize = 10_000;

/// Maximum number of turns that wait. Further ones are found when their leases are renewed.
const MOST_TURNS: usize = 1_000;

/// Announcements that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Pending {
    state: Mutex<PendingState>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct PendingState {
    notices: HashMap<String, ThreadNotice>,
    turns: BTreeSet<String>,
    is_everything: bool,
    /// The time before which nothing is sent.
    not_before: Option<Instant>,
}

impl PendingState {
    fn is_empty(&self) -> bool {
        self.notices.is_empty() && self.turns.is_empty() && !self.is_everything
    }

    fn add(&mut self, notice: ThreadNotice) {
        if self.is_everything {
            return;
        }
        let has_room = self.notices.len() < MOST_THREADS;
        match self.notices.get_mut(&notice.thread_id) {
            Some(earlier) => earlier.merge(notice),
            None if has_room => {
                self.notices.insert(notice.thread_id.clone(), notice);
            }
            None => {
                self.is_everything = true;
                self.notices = HashMap::new();
            }
        }
    }
}

impl Pending {
    pub(super) fn publish(&self, notice: ThreadNotice) {
        self.state().add(notice);
        self.filled.notify_one();
    }

    pub(super) fn signal(&self, event_id: &str) {
        let mut state = self.state();
        if state.turns.len() < MOST_TURNS {
            state.turns.insert(event_id.to_owned());
            self.filled.notify_one();
        }
    }

    /// Waits until something may be sent. Dropping the future changes nothing.
    pub(super) async fn due(&self) {
        loop {
            let filled = self.filled.notified();
            let (is_empty, not_before) = {
                let state = self.state();
                (state.is_empty(), state.not_before)
            };
            match not_before {
                _ if is_empty => filled.await,
                Some(at) if Instant::now() < at => sleep_until(at).await,
                _ => return,
            }
        }
    }

    /// Takes everything that waits, and begins the next window.
    pub(super) fn take(&self) -> Batch {
        let mut state = self.state();
        let taken = std::mem::take(&mut *state);
        state.not_before = Some(Instant::now() + WINDOW);
        Batch {
            notices: taken.notices.into_values().collect(),
            turns: taken.turns.into_iter().collect(),
            is_everything: taken.is_everything,
        }
    }

    /// Puts a batch back that could not be sent.
    pub(super) fn put_back(&self, batch: Batch) {
        let mut state = self.state();
        for notice in batch.notices {
            state.add(notice);
        }
        state.turns.extend(batch.turns);
        if batch.is_everything {
            state.is_everything = true;
            state.notices = HashMap::new();
        }
        self.filled.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, PendingState> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn notice(thread_id: &str, rev: u64) -> ThreadNotice {
        ThreadNotice {
            thread_id: thread_id.to_owned(),
            rev,
            place: None,
            deleted_for: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn changes_within_a_window_share_a_batch() {
        let pending = Pending::default();
        assert!(pending.due().now_or_never().is_none());
        pending.publish(notice("t", 1));
        // The first change does not wait.
        assert!(pending.due().now_or_never().is_some());
        assert_eq!(pending.take().notices, [notice("t", 1)]);
        let sent = Instant::now();
        pending.publish(notice("t", 3));
        pending.publish(notice("t", 2));
        pending.signal("e");
        pending.signal("e");
        assert!(pending.due().now_or_never().is_none());
        pending.due().await;
        assert!((WINDOW..2 * WINDOW).contains(&sent.elapsed()));
        let batch = pending.take();
        assert_eq!(batch.notices, [notice("t", 3)]);
        assert_eq!(batch.turns, ["e"]);
        pending.put_back(batch.clone());
        pending.publish(notice("t", 4));
        pending.due().await;
        let again = pending.take();
        assert_eq!(again.notices, [notice("t", 4)]);
        assert_eq!(again.turns, batch.turns);
        assert_eq!(pending.take(), Batch::default());
    }

    #[test]
    fn too_many_threads_become_all_threads() {
        let pending = Pending::default();
        for number in 0..=MOST_THREADS {
            pending.publish(notice(&number.to_string(), 1));
        }
        pending.publish(notice("t", 1));
        let batch = pending.take();
        assert!(batch.is_everything && batch.notices.is_empty());
        pending.publish(notice("t", 1));
        assert_eq!(pending.take().notices, [notice("t", 1)]);
    }
}
