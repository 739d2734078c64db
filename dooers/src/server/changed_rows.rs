//! The rows of threads that other nodes have changed, and that this node's connections list.

use super::list_fronts::ListFronts;
use super::listed_rows::{Listed, Unread};
use super::server_state::ServerState;
use crate::store::{StoreError, ThreadRecord};
use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Maximum number of rows that are read by one statement.
pub(super) const ROWS: usize = 200;

/// The delay before rows are read again after an error.
const RETRY: Duration = Duration::from_secs(1);

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
