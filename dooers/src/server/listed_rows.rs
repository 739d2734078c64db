//! The rows of threads that must be read for lists, because other nodes have changed them.

use crate::broker::ThreadNotice;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// Maximum number of rows that wait to be read, and of threads that wait to be compared. Above this number, the front of each
/// list is read instead, and all threads are compared.
const MOST_WAITING: usize = 10_000;

/// The rows that must be read for lists.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The ids of threads, with the announcements of their deletion.
    pub(super) threads: BTreeMap<String, Vec<ThreadNotice>>,
    /// The ids of threads that were read before their news arrived.
    pub(super) late: BTreeSet<String>,
    /// The front of each list must be compared, because announcements were lost.
    pub(super) is_outdated: bool,
}

/// The rows that wait to be read. A task of their own reads them, so that a slow database delays no other news.
#[derive(Debug, Default)]
pub(super) struct Unread {
    listed: Mutex<Listed>,
    added: Notify,
}

impl Listed {
    pub(super) fn is_empty(&self) -> bool {
        self.threads.is_empty() && self.late.is_empty() && !self.is_outdated
    }

    pub(super) fn add(&mut self, thread_id: String, deletion: Option<ThreadNotice>) {
        let deletions = self.threads.entry(thread_id).or_default();
        if let Some(deletion) = deletion
            && !deletions.contains(&deletion)
        {
            deletions.push(deletion);
        }
    }

    /// Adds later rows. Returns `false` if there were too many.
    #[must_use]
    fn merge(&mut self, later: Self) -> bool {
        for (thread_id, deletions) in later.threads {
            self.add(thread_id.clone(), None);
            for deletion in deletions {
                self.add(thread_id.clone(), Some(deletion));
            }
        }
        self.late.extend(later.late);
        self.is_outdated |= later.is_outdated;
        let has_room = self.threads.len() <= MOST_WAITING && self.late.len() <= MOST_WAITING;
        if !has_room {
            *self = Self {
                is_outdated: true,
                ..Self::default()
            };
        }
        has_room
    }
}

impl Unread {
    /// Adds rows. Returns `false` if there were too many.
    pub(super) fn add(&self, listed: Listed) -> bool {
        let has_room = self.with(|unread| unread.merge(listed));
        self.added.notify_one();
        has_room
    }

    /// Waits for rows, and takes them. Dropping the future loses nothing.
    pub(super) async fn take(&self) -> Listed {
        loop {
            let added = self.added.notified();
            let listed = self.with(std::mem::take);
            if !listed.is_empty() {
                return listed;
            }
            added.await;
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Listed) -> T) -> T {
        // No code panics while it holds the lock.
        change(&mut self.listed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
