//! Recovery after answers of the database were lost.
//!
//! A change that failed with [`Unavailable`](StoreError::Unavailable) may have been committed. When the database answers
//! again, subscribers of the changed thread continue from the store, and turns that the change claimed are started.

use super::server_state::ServerState;
use crate::store::StoreError;
use crate::turn::LostIn;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Maximum number of threads that are read by one statement.
const ROWS: usize = 200;

/// Delay between two attempts.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl ServerState {
    /// Recovers from lost answers until the server has stopped.
    pub(super) async fn settle_lost_answers(self: Arc<Self>) {
        let settle = async {
            let answers = self.runner.publisher().lost_answers();
            loop {
                let lost = answers.next().await;
                let again = match self.settle(&lost).await {
                    Ok(uncertain) if uncertain.is_empty() => continue,
                    Ok(uncertain) => LostIn::Threads(uncertain),
                    Err(error) => {
                        tracing::warn!(target: "dooers::server", error = &error as &dyn std::error::Error, "the outcome of changes without an answer is still unknown; trying again");
                        lost
                    }
                };
                sleep(RETRY_AFTER).await;
                answers.note(again);
            }
        };
        self.stopped.run_until_cancelled(settle).await;
    }

    /// Waits until the outcome of the changes is certain, makes subscribers continue from the store, and starts the turns that
    /// were claimed. Returns the threads in which an operation in progress may still start a turn.
    async fn settle(&self, lost: &LostIn) -> Result<HashSet<String>, StoreError> {
        self.store.settled().await?;
        match lost {
            LostIn::Threads(threads) => threads.iter().for_each(|id| self.hub.resync(id)),
            LostIn::Anywhere => self.hub.resync_all(),
        }
        self.announce_lost(lost).await?;
        let held = self.runner.renew().await?;
        let uncertain = self.resume(held).await?;
        // Turns may be queued behind a turn that was withdrawn.
        self.take_over().await?;
        Ok(uncertain)
    }

    /// Announces the threads to the other nodes. The changes themselves are not known.
    async fn announce_lost(&self, lost: &LostIn) -> Result<(), StoreError> {
        let publisher = self.runner.publisher();
        if !publisher.has_others() {
            return Ok(());
        }
        match lost {
            LostIn::Threads(threads) => {
                let ids: Vec<_> = threads.iter().cloned().collect();
                for ids in ids.chunks(ROWS) {
                    let records = self.store.thread_rows(ids).await?;
                    publisher.announce_states(ids, &records);
                }
            }
            LostIn::Anywhere => publisher.announce_everything(),
        }
        Ok(())
    }
}
