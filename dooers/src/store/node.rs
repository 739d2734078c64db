//! The processes that use a database, and their reports.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A process that serves a database, as it has last reported itself.
///
/// Several processes may share a PostgreSQL database. Each reports itself when it starts, when its state changes, and three
/// times during a [lease](crate::WorkerConfig::lease). [`Repository::nodes`](crate::repository::Repository::nodes) lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NodeInfo {
    /// The id of the process, which is new at each start.
    pub id: String,
    /// What the process does.
    pub state: NodeState,
    /// `false` if the process has not reported itself during its lease: it has died, is frozen, or cannot reach the database.
    /// The other processes then take over its turns.
    pub is_alive: bool,
    /// The time at which the process started, by the clock of the database.
    pub started_at: DateTime<Utc>,
    /// The time of the report, by the clock of the database.
    pub seen_at: DateTime<Utc>,
    /// The version of dooers, such as `0.1.0`.
    pub version: String,
    /// The newest migration that the process knows. 0 in memory, where there are no migrations.
    pub schema_version: u32,
    /// The connection of the process to the other processes.
    pub broker: NodeBroker,
    /// The number of open WebSockets.
    pub connections: u64,
    /// The number of turns that the process runs.
    pub running_turns: u64,
    /// The name of the machine or the container. Empty if it is unknown.
    pub host: String,
    /// The id of the operating system for the process.
    pub process_id: u32,
}

#[cfg(test)]
impl NodeInfo {
    /// A process that is alive, with this kind of broker, for unit tests.
    pub(crate) fn serving(id: &str, broker: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: NodeState::Serving,
            is_alive: true,
            started_at: DateTime::UNIX_EPOCH,
            seen_at: DateTime::UNIX_EPOCH,
            version: "0.1.0".to_owned(),
            schema_version: 15,
            broker: NodeBroker::new(broker, true, 0),
            connections: 0,
            running_turns: 0,
            host: String::new(),
            process_id: 1,
        }
    }
}

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeState {
    /// The process takes over the turns of dead processes, and accepts no clients yet.
    Starting,
    /// The process accepts clients.
    Serving,
    /// The process stops. It lets its turns finish.
    Draining,
}

impl NodeState {
    /// The name of the state: `starting`, `serving` or `draining`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Draining => "draining",
        }
    }
}

/// The connection of a process to the other processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NodeBroker {
    /// The kind of the [broker](crate::BrokerKind), such as `postgres`, or `none`.
    pub kind: String,
    /// `false` while the process does not hear the other processes. It then finds their changes in the database, some seconds
    /// later. Always `true` without a broker.
    pub is_connected: bool,
    /// The number of messages since the start of the process that were ignored, because they were malformed.
    pub malformed_messages: u64,
}

impl NodeBroker {
    /// Describes a broker.
    pub(crate) fn new(kind: &str, is_connected: bool, malformed_messages: u64) -> Self {
        Self {
            kind: kind.to_owned(),
            is_connected,
            malformed_messages,
        }
    }
}

/// What a process reports of itself. The store adds the times and the version of its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReport {
    /// The id of the process.
    pub id: String,
    /// The state.
    pub state: NodeState,
    /// The version of dooers.
    pub version: String,
    /// The kind of the broker.
    pub broker: String,
    /// Whether the process hears the others.
    pub is_connected: bool,
    /// The number of malformed messages.
    pub malformed_messages: u64,
    /// The number of open WebSockets.
    pub connections: u64,
    /// The number of running turns.
    pub running_turns: u64,
    /// The name of the machine.
    pub host: String,
    /// The id of the operating system for the process.
    pub process_id: u32,
}

/// Sorts processes by their start, the oldest first.
pub(crate) fn in_order(mut nodes: Vec<NodeInfo>) -> Vec<NodeInfo> {
    nodes.sort_by(|one, other| (one.started_at, &one.id).cmp(&(other.started_at, &other.id)));
    nodes
}
