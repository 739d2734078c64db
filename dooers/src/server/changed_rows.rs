//! The rows of threads that other nodes have changed, and that this node's connections list.

use super::list_fronts::ListFronts;
use super::server_state::ServerState;
use crate::broker::ThreadNotice;
use crate::store::{StoreError, ThreadRecord};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// Maximum number of rows that are read by one statement.
pub(super) const ROWS: usize = 200;

/// Maximum number of rows that wait to be read, and of threads that wait to be compared. Above this number, the front of each
/// list is read instead, and all threads are compared.
const MOST_WAITING: usize = 10_000;

/// The delay before rows are read again after an error.
const RETRY: Duration = Duration::from_secs(1);

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
    async fn take(&self) -> Listed {
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

impl ServerState {
    /// Reads the rows that other nodes have changed, until the server has stopped.
    pub(super) async fn read_rows(self: Arc<Self>, unread: Arc<Unread>) {
        let reading = self.read_rows_on(&unread);
        self.stopped.run_until_cancelled(reading).await;
    }

    async fn read_rows_on(&self, unread: &Unread) {
        let (mut fronts, mut has_failed) = (ListFronts::default(), false);
        loop {
            let mut listed = unread.take().await;
            self.compare_late(std::mem::take(&mut listed.late)).await;
            match self.publish_lists(&mut listed, &mut fronts).await {
                Ok(()) => has_failed = false,
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(target: "dooers::broker", error = &error as &dyn Error, "threads that other nodes changed could not be read; trying again");
                    }
                    if !unread.add(listed) {
                        self.compare_soon.notify_one();
                    }
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Reads the rows of listed threads and publishes them, or their deletion.
    async fn publish_lists(
        &self,
        listed: &mut Listed,
        fronts: &mut ListFronts,
    ) -> Result<(), StoreError> {
        if listed.is_outdated {
            self.compare_fronts(fronts, listed).await?;
            listed.is_outdated = false;
        }
        let threads = &mut listed.threads;
        while !threads.is_empty() {
            let ids: Vec<_> = threads.keys().take(ROWS).cloned().collect();
            let read = self.store.thread_rows(&ids);
            let mut found = HashSet::new();
            let note = |record: &ThreadRecord| {
                found.insert(record.thread.id.clone());
                fronts.note(record);
            };
            let publisher = self.runner.publisher();
            publisher.publish_rows(&ids, read, note).await?;
            for id in &ids {
                let deletions = threads.remove(id).filter(|_| !found.contains(id));
                for notice in deletions.into_iter().flatten() {
                    self.hub.deleted_elsewhere(&notice);
                }
            }
        }
        Ok(())
    }
}
