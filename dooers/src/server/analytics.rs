//! Analytics events and feedback of programs and handlers.

use super::server_state::ServerState;
use crate::SendError;
use crate::handler::AnalyticsSink;
use crate::protocol::AnalyticsEvent;
use crate::store::{Admit, Admitted, NewFeedback, Scope, StoreError};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::{Arc, Weak};
use tokio::sync::oneshot;

/// The server that stores and publishes events and feedback. It does not keep the server alive, because the server's own
/// runner holds it.
#[derive(Debug)]
pub(super) struct ServerAnalytics(Weak<ServerState>);

impl ServerAnalytics {
    pub(super) fn new(server: Weak<ServerState>) -> Self {
        Self(server)
    }

    fn server(&self) -> Result<Arc<ServerState>, StoreError> {
        self.0.upgrade().ok_or_else(|| StoreError::Failed {
            what: "use the analytics of the server",
            source: "the server was dropped".into(),
        })
    }
}

impl AnalyticsSink for ServerAnalytics {
    fn track(
        &self,
        scope: &Scope,
        event: AnalyticsEvent,
    ) -> oneshot::Receiver<Result<(), SendError>> {
        let (sender, stored) = oneshot::channel();
        match self.server() {
            Ok(server) => {
                let (state, scope) = (Arc::clone(&server), scope.clone());
                server.spawn(async move {
                    let tracked = state.track(scope, event).await.map_err(|error| {
                        // The caller may not wait for the result.
                        tracing::warn!(target: "dooers::analytics", error = &error as &dyn std::error::Error, "an event was not tracked");
                        SendError::store(&Arc::new(error))
                    });
                    let _ = sender.send(tracked);
                });
            }
            // The receiver exists, so sending cannot fail.
            Err(error) => drop(sender.send(Err(SendError::store(&Arc::new(error))))),
        }
        stored
    }

    fn give_feedback(
        &self,
        scope: Scope,
        given: Admitted<NewFeedback>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let server = self.server();
        async move {
            server?.give_feedback(scope, given).await?;
            Ok(())
        }
        .boxed()
    }
}

impl ServerState {
    /// Stores an event that is not part of a turn, if the webhook needs it, and publishes it.
    async fn track(&self, mut scope: Scope, event: AnalyticsEvent) -> Result<(), StoreError> {
        scope.admit()?;
        let live = self.runner.publisher().analytics();
        let events = live.of_program(&scope, &event);
        self.store.append_outbox(vec![event]).await?;
        live.publish(events);
        Ok(())
    }
}
