//! The list of the served agents, which `GET /agents` returns.

use super::server_state::ServerState;
use crate::handler::AgentDefinition;
use crate::protocol::ServerInfo;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

/// The served agents, and what a client must know before it connects. It contains nothing that an authenticator protects.
#[derive(Debug, Serialize)]
pub(super) struct AgentList {
    agents: Vec<AgentEntry>,
    server: ServerInfo,
    /// True if the server records analytics events.
    analytics: bool,
}

#[derive(Debug, Serialize)]
struct AgentEntry {
    name: &'static str,
    description: &'static str,
    is_default: bool,
    has_settings: bool,
    private_threads: bool,
}

/// Answers `GET /agents`.
pub(super) async fn agents(State(server): State<Arc<ServerState>>) -> Json<AgentList> {
    let default = server.default_agent().map(|agent| agent.name());
    let entry = |agent: &AgentDefinition| AgentEntry {
        name: agent.name(),
        description: agent.description(),
        is_default: default == Some(agent.name()),
        has_settings: server.settings.schema(agent.name()).is_ok(),
        private_threads: server.config.is_private(agent),
    };
    Json(AgentList {
        agents: server.agents.iter().map(entry).collect(),
        server: ServerInfo::current(),
        analytics: !server.config.analytics.is_off,
    })
}
