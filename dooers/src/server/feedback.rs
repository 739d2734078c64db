//! Feedback of users.

use super::server_state::ServerState;
use crate::store::{Admitted, GivenFeedback, NewFeedback, Scope, StoreError};
use std::sync::Arc;

impl ServerState {
    /// Stores a feedback, and passes it to the program's callback if it has changed.
    pub(super) async fn give_feedback(
        self: &Arc<Self>,
        scope: Scope,
        given: Admitted<NewFeedback>,
    ) -> Result<GivenFeedback, StoreError> {
        let server = Arc::clone(self);
        let give = async move {
            let stored = server
                .store
                .give_feedback(&scope, given.into_inner())
                .await?;
            if stored.is_changed {
                server.feedback.push(stored.update.clone());
            }
            Ok(stored)
        };
        self.run_detached(give).await
    }
}
