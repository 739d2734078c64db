//! Settings that other nodes have changed.

use super::server_state::ServerState;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The delay before settings are read again after an error.
const RETRY: Duration = Duration::from_secs(1);

impl ServerState {
    /// Publishes the changes that other nodes make to settings with subscribers or watchers, until the server has stopped.
    pub(super) async fn follow_settings(self: Arc<Self>) {
        self.stopped
            .run_until_cancelled(self.follow_settings_on())
            .await;
    }

    async fn follow_settings_on(&self) {
        let mut has_failed = false;
        let mut compare_at = Instant::now() + self.compare_pause();
        loop {
            let read = tokio::select! {
                () = sleep_until(compare_at) => {
                    let compared = self.settings.compare().await;
                    compare_at = Instant::now() + self.compare_pause();
                    compared
                }
                outdated = self.settings.outdated() => self.settings.read_outdated(outdated).await,
            };
            match read {
                Ok(()) => has_failed = false,
                Err(error) => {
                    compare_at = compare_at.min(Instant::now() + RETRY);
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(target: "dooers::settings", error = &error as &dyn Error, "settings that other nodes may have changed could not be read; trying again");
                    }
                }
            }
        }
    }
}
