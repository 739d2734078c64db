//! What all sessions of a server share.

use super::config::WorkerConfig;
use super::error::ServerError;
use crate::agent::AgentDefinition;
use crate::hub::{Hub, OutboundLimits};
use crate::store::Store;
use crate::turn::Runner;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A server whose store is open: what all sessions share.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) agents: Vec<AgentDefinition>,
    pub(super) config: WorkerConfig,
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Hub,
    pub(super) runner: Arc<Runner>,
    pub(super) sessions: TaskTracker,
    pub(super) stopping: CancellationToken,
}

impl Running {
    /// Opens the store, ends what a dead process left, and starts the turns that wait.
    pub(super) async fn start(
        agents: Vec<AgentDefinition>,
        config: WorkerConfig,
    ) -> Result<Arc<Self>, ServerError> {
        check(&agents)?;
        let store = config.database.open().await?;
        let hub = Hub::default();
        let runner = Arc::new(Runner::new(
            Arc::clone(&store),
            hub.clone(),
            config.assistant_name.clone(),
        ));
        let running = Arc::new(Self {
            agents,
            config,
            store,
            hub,
            runner,
            sessions: TaskTracker::new(),
            stopping: CancellationToken::new(),
        });
        running.recover().await?;
        running.runner.keep_leases();
        Ok(running)
    }

    pub(super) fn agent(&self, name: &str) -> Option<AgentDefinition> {
        self.agents
            .iter()
            .find(|agent| agent.name() == name)
            .copied()
    }

    /// The agent that `/ws` leads to: the only one, or the one that is marked.
    pub(super) fn default_agent(&self) -> Option<AgentDefinition> {
        match self.agents.as_slice() {
            [only] => Some(*only),
            several => several.iter().find(|agent| agent.is_default()).copied(),
        }
    }

    pub(super) fn outbound_limits(&self) -> OutboundLimits {
        OutboundLimits {
            frames: self.config.limits.outbound_frames,
            bytes: self.config.limits.outbound_bytes,
        }
    }

    /// Closes sessions, lets turns finish, and gives the store free.
    pub(super) async fn stop(&self) {
        self.stopping.cancel();
        self.sessions.close();
        self.sessions.wait().await;
        self.runner.drain(self.config.drain_timeout).await;
        self.hub.close().await;
        self.store.close().await;
    }

    async fn recover(&self) -> Result<(), ServerError> {
        let recovered = self.store.recover().await?;
        if recovered.interrupted > 0 {
            tracing::warn!(target: "dooers::server", turns = recovered.interrupted, "ended turns that were interrupted when the server stopped");
        }
        for waiting in recovered.waiting {
            let Some(agent) = self.agent(&waiting.scope.agent) else {
                tracing::warn!(target: "dooers::server", agent = waiting.scope.agent, thread_id = waiting.thread_id, "a message waits for an agent that this program does not serve");
                continue;
            };
            let start = self.runner.start_of(&agent);
            let claim = self
                .store
                .claim_turn(&waiting.scope, &waiting.thread_id, &start)
                .await?;
            if let Some(mut claim) = claim {
                self.hub.publish(std::mem::take(&mut claim.changes));
                self.runner.run(agent, claim);
            }
        }
        Ok(())
    }
}

fn check(agents: &[AgentDefinition]) -> Result<(), ServerError> {
    if agents.is_empty() {
        return Err(ServerError::NoAgent);
    }
    for (at, agent) in agents.iter().enumerate() {
        if agents[..at]
            .iter()
            .any(|other| other.name() == agent.name())
        {
            return Err(ServerError::SameName(agent.name()));
        }
    }
    let mut defaults = agents.iter().filter(|agent| agent.is_default());
    match (defaults.next(), defaults.next()) {
        (Some(one), Some(other)) => Err(ServerError::TwoDefaults(one.name(), other.name())),
        _ => Ok(()),
    }
}
