//! News that wait to be sent.

use super::news::{MergeKey, News};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Maximum number of news that wait. Above this number, they are replaced by the news that anything may have changed.
const MOST_NEWS: usize = 10_000;

/// Maximum number of bytes of streamed texts that wait. Above this number, pieces are lost.
const MOST_TEXT_BYTES: usize = 1024 * 1024;

/// The number of news in a batch above which a node is busy.
const BUSY: usize = 32;

/// The times between two batches. News in between share a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    pub(super) usual: Duration,
    /// The time after a batch with many news, so that a busy node sends fewer messages: more of its news can be merged.
    pub(super) busy: Duration,
}

impl Windows {
    /// The same time after every batch.
    pub(super) fn always(window: Duration) -> Self {
        Self {
            usual: window,
            busy: window,
        }
    }

    fn after(self, news: usize) -> Duration {
        if news > BUSY { self.busy } else { self.usual }
    }
}

/// News that wait to be sent.
#[derive(Debug)]
pub(super) struct Pending {
    windows: Windows,
    state: Mutex<PendingState>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct PendingState {
    /// The news in the order in which they were added.
    news: Vec<News>,
    /// The indexes of these news.
    by_key: HashMap<MergeKey, usize>,
    /// The bytes of streamed texts among the news.
    text_bytes: usize,
    /// The time before which nothing is sent.
    not_before: Option<Instant>,
}

impl PendingState {
    fn add(&mut self, news: News) {
        let key = news.merge_key();
        let bytes = news.text_bytes();
        if bytes > 0 && self.text_bytes + bytes > MOST_TEXT_BYTES {
            // The other nodes find the gap.
            return;
        }
        if let Some(earlier) = self.by_key.get(&key).and_then(|at| self.news.get_mut(*at)) {
            let before = earlier.text_bytes();
            earlier.merge(news);
            self.text_bytes = self.text_bytes + earlier.text_bytes() - before;
        } else if self.news.len() < MOST_NEWS && self.must_tell(&news) {
            self.by_key.insert(key, self.news.len());
            self.news.push(news);
            self.text_bytes += bytes;
        } else if !self.tells_everything() {
            self.text_bytes = 0;
            let mut too_many = std::mem::take(&mut self.news);
            too_many.push(news);
            self.news = News::instead_of(too_many);
            let keys = self.news.iter().map(News::merge_key);
            self.by_key = keys.zip(0..).collect();
        }
    }

    fn tells_everything(&self) -> bool {
        self.by_key.contains_key(&MergeKey::Everything)
    }

    /// Returns `false` for news that are included in the news that anything may have changed.
    fn must_tell(&self, news: &News) -> bool {
        !self.tells_everything() || matches!(news, News::Disconnect(_))
    }
}

impl Pending {
    pub(super) fn new(windows: Windows) -> Self {
        Self {
            windows,
            state: Mutex::default(),
            filled: Notify::new(),
        }
    }

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
        state.not_before = Some(Instant::now() + self.windows.after(taken.news.len()));
        taken.news
    }

    /// Puts news back that could not be sent. They are sent before those that were added in the meantime.
    pub(super) fn put_back(&self, news: Vec<News>) {
        let mut state = self.state();
        let later = std::mem::take(&mut state.news);
        state.by_key = HashMap::new();
        state.text_bytes = 0;
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
    use crate::broker::{TextPiece, ThreadNotice, UserKey};
    use futures::FutureExt;

    const WINDOW: Duration = Duration::from_millis(10);

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
        let pending = Pending::new(Windows::always(WINDOW));
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

    #[tokio::test(start_paused = true)]
    async fn busy_node_sends_fewer_batches() {
        let pending = Pending::new(Windows {
            usual: WINDOW,
            busy: 4 * WINDOW,
        });
        for (news, window) in [(BUSY, WINDOW), (BUSY + 1, 4 * WINDOW), (1, WINDOW)] {
            for thread in 0..news {
                pending.publish(notice(&thread.to_string(), 1));
            }
            pending.due().await;
            pending.take();
            let sent = Instant::now();
            pending.publish(turn());
            pending.due().await;
            assert!((window..2 * window).contains(&sent.elapsed()), "{news}");
            pending.take();
        }
    }

    #[test]
    fn waiting_texts_are_limited() {
        let pending = Pending::new(Windows::always(WINDOW));
        let piece = |text: usize, from: usize| {
            News::Text(TextPiece {
                thread_id: "t".to_owned(),
                event_id: text.to_string(),
                seq: 1,
                rev: 1,
                from,
                text: "x".repeat(1024),
                stored: 0,
            })
        };
        for round in 0..32 {
            for text in 0..100 {
                pending.publish(piece(text, round * 1024));
            }
            pending.put_back(Vec::new());
        }
        let news = pending.take();
        assert_eq!(news.len(), 100);
        let bytes: usize = news.iter().map(News::text_bytes).sum();
        assert_eq!(bytes, MOST_TEXT_BYTES);
        pending.publish(piece(1, 0));
        assert_eq!(pending.take(), [piece(1, 0)]);
    }

    #[test]
    fn too_many_news_become_one() {
        let pending = Pending::new(Windows::always(WINDOW));
        for number in 0..=MOST_NEWS {
            pending.publish(notice(&number.to_string(), 1));
        }
        pending.publish(notice("t", 1));
        assert_eq!(pending.take(), [News::Everything]);
        pending.publish(notice("t", 1));
        assert_eq!(pending.take(), [notice("t", 1)]);
    }

    #[test]
    fn disconnected_users_are_not_among_too_many_news() {
        let pending = Pending::new(Windows::always(WINDOW));
        let disconnect = |user: usize| News::Disconnect(UserKey::of(&user.to_string()));
        pending.publish(disconnect(1));
        for number in 0..MOST_NEWS {
            pending.publish(notice(&number.to_string(), 1));
        }
        pending.publish(disconnect(2));
        let expected = [disconnect(1), News::Everything, disconnect(2)];
        assert_eq!(pending.take(), expected);
        for user in 0..2 * MOST_NEWS {
            pending.publish(disconnect(user));
        }
        assert_eq!(pending.take().len(), MOST_NEWS + 2);
    }
}
