//! Announcements of the subscribers to analytics.

use super::server_state::ServerState;
use crate::hub::ANNOUNCE_SUBSCRIBERS;
use std::sync::Arc;
use tokio::time::sleep;

impl ServerState {
    /// Announces the subscribers to analytics regularly, so that other nodes send their events, until the server has
    /// stopped.
    pub(super) async fn announce_subscribers(self: Arc<Self>) {
        let announce = async {
            loop {
                sleep(ANNOUNCE_SUBSCRIBERS).await;
                self.runner.publisher().analytics().announce_subscribers();
            }
        };
        self.stopped.run_until_cancelled::<_>(announce).await;
    }
}
