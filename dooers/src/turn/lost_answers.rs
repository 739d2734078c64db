//! Changes of threads whose answers were lost. The database may have committed them, but this process does not know.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Maximum number of threads that are remembered by their ids. Above this number, all threads count as changed.
const MOST_THREADS: usize = 10_000;

/// The threads with changes whose answers were lost and whose outcome is not known yet.
#[derive(Debug, Default)]
pub(crate) struct LostAnswers {
    threads: Mutex<LostIn>,
    lost: Notify,
}

/// The threads in which answers were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LostIn {
    Threads(HashSet<String>),
    /// Any thread may have changed.
    Anywhere,
}

impl Default for LostIn {
    fn default() -> Self {
        Self::Threads(HashSet::new())
    }
}

impl LostIn {
    fn add(&mut self, other: Self) {
        let Self::Threads(threads) = self else {
            return;
        };
        match other {
            Self::Threads(others) => threads.extend(others),
            Self::Anywhere => *self = Self::Anywhere,
        }
        if matches!(self, Self::Threads(threads) if threads.len() > MOST_THREADS) {
            *self = Self::Anywhere;
        }
    }
}

impl LostAnswers {
    /// Adds threads in which answers were lost.
    pub(crate) fn note(&self, lost: LostIn) {
        self.threads().add(lost);
        self.lost.notify_one();
    }

    /// Adds a thread in which an answer was lost.
    pub(super) fn note_in(&self, thread_id: &str) {
        self.note(LostIn::Threads(HashSet::from([thread_id.to_owned()])));
    }

    /// Waits for lost answers, and takes the threads in which they were lost.
    pub(crate) async fn next(&self) -> LostIn {
        loop {
            self.lost.notified().await;
            let lost = std::mem::take(&mut *self.threads());
            if lost != LostIn::default() {
                return lost;
            }
        }
    }

    fn threads(&self) -> MutexGuard<'_, LostIn> {
        // No code panics while it holds the lock.
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn threads(ids: &[&str]) -> LostIn {
        LostIn::Threads(ids.iter().map(|&id| id.to_owned()).collect())
    }

    #[test]
    fn lost_answers_are_taken_once() {
        let answers = LostAnswers::default();
        assert_eq!(answers.next().now_or_never(), None);
        for id in ["a", "b", "a"] {
            answers.note_in(id);
        }
        assert_eq!(answers.next().now_or_never(), Some(threads(&["a", "b"])));
        assert_eq!(answers.next().now_or_never(), None);
        // A thread that could not be settled is added again.
        answers.note(threads(&["a"]));
        answers.note(LostIn::Anywhere);
        answers.note_in("c");
        assert_eq!(answers.next().now_or_never(), Some(LostIn::Anywhere));
        assert_eq!(answers.next().now_or_never(), None);
    }

    #[test]
    fn too_many_threads_become_all_threads() {
        let answers = LostAnswers::default();
        for number in 0..=MOST_THREADS {
            answers.note_in(&number.to_string());
        }
        assert_eq!(answers.next().now_or_never(), Some(LostIn::Anywhere));
    }
}
