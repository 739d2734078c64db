//! The slow comparison of subscribed threads with the database, which finds what the broker has lost.

use super::server_state::ServerState;
use crate::store::StoreError;
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The interval at which threads are compared with the database, while this node hears all others.
pub(super) const COMPARE: Duration = Duration::from_secs(5);

/// The same interval while it does not.
const COMPARE_ALONE: Duration = Duration::from_secs(1);

/// Maximum number of threads that are compared by one statement.
pub(super) const COMPARED: usize = 2_000;

impl ServerState {
    /// Compares threads with the database that were read before their news arrived.
    pub(super) async fn compare_late(&self, ids: BTreeSet<String>) {
        let ids: Vec<_> = ids.into_iter().collect();
        for ids in ids.chunks(COMPARED) {
            let Ok(revs) = self.store.thread_revs(ids).await else {
                return self.compare_soon.notify_one();
            };
            for id in ids {
                match revs.get(id) {
                    // Connections that are reading the thread may have read it too early, too.
                    Some(rev) => self.hub.changed_elsewhere(id, *rev),
                    None => self.hub.compare(id, None),
                }
            }
        }
    }

    /// Compares the threads with live subscribers with the database, until the server has stopped.
    pub(super) async fn compare_threads(self: Arc<Self>) {
        self.stopped.run_until_cancelled(self.compare_on()).await;
    }

    async fn compare_on(&self) {
        let (mut after, mut is_all) = (String::new(), false);
        let mut has_failed = false;
        loop {
            let pause = self.compare_pause();
            if !is_all || has_failed {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.compare_soon.notified() => {
                        (after, is_all) = (String::new(), true);
                    }
                }
            }
            match self.compare_after(&mut after).await {
                Ok(is_end) => {
                    has_failed = false;
                    is_all &= !is_end;
                }
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(target: "dooers::broker", error = &error as &dyn Error, "threads could not be compared with the database; trying again");
                    }
                }
            }
        }
    }

    /// The pause before the database is asked again for what the broker may have lost.
    pub(super) fn compare_pause(&self) -> Duration {
        if self.hears_all() {
            COMPARE
        } else {
            COMPARE_ALONE
        }
    }

    /// Compares some threads, beginning after an id, and moves the id on. Returns `true` if no more threads follow.
    async fn compare_after(&self, after: &mut String) -> Result<bool, StoreError> {
        let ids = self.hub.subscribed_after(after, COMPARED);
        let is_end = ids.len() < COMPARED;
        if !ids.is_empty() {
            let revs = self.store.thread_revs(&ids).await?;
            for id in &ids {
                self.hub.compare(id, revs.get(id).copied());
                // Of these texts, pieces may have been lost.
                for look_up in self.hub.look_up_quiet(id) {
                    self.look_up(look_up).await;
                }
            }
        }
        *after = if is_end {
            String::new()
        } else {
            ids.last().cloned().unwrap_or_default()
        };
        Ok(is_end)
    }
}
