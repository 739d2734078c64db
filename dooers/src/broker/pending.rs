//! News that wait to be sent.

use super::news::{MergeKey, News};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The time between two messages of a node. News in between share a message.
pub(super) const WINDOW: Duration = Duration::from_millis(10);

/// Maximum number of news that wait. Above this number, the other nodes are told instead that anything may have changed.
const MOST_NEWS: usize = 10_000;

/// News that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Pending {
    state: Mutex<PendingState>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct PendingState {
    /// The news in the order in which they were added.
    news: Vec<News>,
    /// The indexes of these news.
    by_key: HashMap<MergeKey, usize>,
    /// The time before which nothing is sent.
    not_before: Option<Instant>,
}

impl PendingState {
    fn add(&mut self, news: News) {
        let key = news.merge_key();
        if let Some(earlier) = self.by_key.get(&key).and_then(|at| self.news.get_mut(*at)) {
            earlier.merge(news);
        } else if self.by_key.contains_key(&MergeKey::Everything) {
            // Nothing more needs to be told.
        } else if self.news.len() < MOST_NEWS {
            self.by_key.insert(key, self.news.len());
            self.news.push(news);
        } else {
            self.news = vec![News::Everything];
            self.by_key = HashMap::from([(MergeKey::Everything, 0)]);
        }
    }
}

impl Pending {
    pub(super) fn publish(&self, news: News) {
        self.state().add(news);
        self.filled.notify_one();
    }

    /// Waits until something may be sent. Dropping the future changes nothing.
    pub(super) async fn due(&self) {
        loop {
            let filled = self.filled.notified();
            let (is_empty, not_before) = {
                let state = self.state();
                (state.news.is_empty(), state.not_before)
            };
            match not_before {
                _ if is_empty => filled.await,
                Some(at) if Instant::now() < at => sleep_until(at).await,
                _ => return,
            }
        }
    }

    /// Takes everything that waits, and begins the next window.
    pub(super) fn take(&self) -> Vec<News> {
        let mut state = self.state();
        let taken = std::mem::take(&mut *state);
        state.not_before = Some(Instant::now() + WINDOW);
        taken.news
    }

    /// Puts news back that could not be sent. They are sent before those that were added in the meantime.
    pub(super) fn put_back(&self, news: Vec<News>) {
        let mut state = self.state();
        let later = std::mem::take(&mut state.news);
        state.by_key = HashMap::new();
        for news in news.into_iter().chain(later) {
            state.add(news);
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
    use crate::broker::ThreadNotice;
    use futures::FutureExt;

    fn notice(thread_id: &str, rev: u64) -> News {
        News::Thread(ThreadNotice {
            thread_id: thread_id.to_owned(),
            rev,
            place: None,
            deleted_for: None,
        })
    }

    fn turn() -> News {
        News::Turn("e".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn news_within_a_window_share_a_batch() {
        let pending = Pending::default();
        assert!(pending.due().now_or_never().is_none());
        pending.publish(notice("t", 1));
        // The first change does not wait.
        assert!(pending.due().now_or_never().is_some());
        assert_eq!(pending.take(), [notice("t", 1)]);
        let sent = Instant::now();
        pending.publish(notice("t", 3));
        pending.publish(notice("t", 2));
        pending.publish(turn());
        pending.publish(turn());
        assert!(pending.due().now_or_never().is_none());
        pending.due().await;
        assert!((WINDOW..2 * WINDOW).contains(&sent.elapsed()));
        let news = pending.take();
        assert_eq!(news, [notice("t", 3), turn()]);
        pending.publish(notice("u", 1));
        pending.publish(notice("t", 4));
        pending.put_back(news);
        pending.due().await;
        let again = pending.take();
        assert_eq!(again, [notice("t", 4), turn(), notice("u", 1)]);
        assert!(pending.take().is_empty());
    }

    #[test]
    fn too_many_news_become_one() {
        let pending = Pending::default();
        for number in 0..=MOST_NEWS {
            pending.publish(notice(&number.to_string(), 1));
        }
        pending.publish(notice("t", 1));
        assert_eq!(pending.take(), [News::Everything]);
        pending.publish(notice("t", 1));
        assert_eq!(pending.take(), [notice("t", 1)]);
    }
}
