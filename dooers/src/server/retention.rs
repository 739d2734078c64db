//! Deleting the ids of messages of deleted threads.

use super::server_state::ServerState;
use crate::protocol::timestamp;
use crate::store::StoreError;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The pause between two searches for expired ids, unless ids are kept for a shorter time.
const SEARCH_EVERY: Duration = Duration::from_secs(3600);

/// The shortest pause between two searches.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Maximum number of ids that are deleted in one transaction.
const BATCH: usize = 500;

/// The pause between two transactions, during which others can write.
const BETWEEN_BATCHES: Duration = Duration::from_millis(100);

impl ServerState {
    /// Deletes ids that were kept for the retention time, repeatedly, until the server has stopped.
    pub(super) async fn forget_sent(self: Arc<Self>) {
        let retention = self.config.sent_id_retention;
        // The retention time is too long to be represented, so no id expires.
        let Ok(kept) = TimeDelta::from_std(retention) else {
            return;
        };
        let pause = retention.clamp(SHORTEST_PAUSE, SEARCH_EVERY);
        let search = async {
            loop {
                if let Err(error) = self.forget_sent_for(kept).await {
                    tracing::warn!(target: "dooers::server", error = &error as &dyn std::error::Error, "ids of deleted threads could not be deleted; trying again later");
                }
                sleep(pause).await;
            }
        };
        self.stopped.run_until_cancelled(search).await;
    }

    async fn forget_sent_for(&self, kept: TimeDelta) -> Result<(), StoreError> {
        let Some(deleted_before) = timestamp::now().checked_sub_signed(kept) else {
            return Ok(());
        };
        let mut all = 0;
        loop {
            let forgotten = self.store.forget_sent(deleted_before, BATCH).await?;
            all += forgotten;
            if forgotten < BATCH {
                break;
            }
            sleep(BETWEEN_BATCHES).await;
        }
        if all > 0 {
            tracing::debug!(target: "dooers::server", ids = all, "deleted ids of deleted threads");
        }
        Ok(())
    }
}
