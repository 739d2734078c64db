//! Recovery after answers of the database were lost.
//!
//! A change that is refused as [`Unavailable`](StoreError::Unavailable) may have been made. When the database answers again,
//! subscribers of its thread continue from the store, and turns that the change claimed run.

use super::server_state::ServerState;
use crate::store::StoreError;
use crate::turn::LostIn;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Delay before the database is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl ServerState {
    /// Finds out what became of changes whose answers were lost, until the server has stopped.
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

    /// Publishes the changes, and runs the turns that were claimed. Returns the threads in which that is still uncertain.
    async fn settle(&self, lost: &LostIn) -> Result<HashSet<String>, StoreError> {
        self.store.settled().await?;
        match lost {
            LostIn::Threads(threads) => threads.iter().for_each(|id| self.hub.resync(id)),
            LostIn::Anywhere => self.hub.resync_all(),
        }
        let held = self.runner.renew().await?;
        let uncertain = self.resume(held).await?;
        // Turns may wait behind one that was withdrawn.
        self.take_over().await?;
        Ok(uncertain)
    }
}
