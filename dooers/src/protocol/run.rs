//! Runs: attempts of an agent to answer a message.

use super::{ModelUsage, optional_timestamp, timestamp};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// The agent is working.
    Running,
    /// The agent has finished.
    Succeeded,
    /// The agent failed, or its process ended.
    Failed,
    /// The run was cancelled.
    Canceled,
}

impl RunStatus {
    /// The name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// A run. The events of one turn belong to one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// The unique id.
    pub id: String,
    /// The id of the thread.
    pub thread_id: String,
    /// The id of the message that the run answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The name of the agent.
    pub agent_id: Option<String>,
    /// The status of the run.
    pub status: RunStatus,
    /// The time at which the run started. It never changes.
    #[serde(with = "timestamp")]
    pub started_at: DateTime<Utc>,
    /// The time at which the run ended.
    #[serde(with = "optional_timestamp")]
    pub ended_at: Option<DateTime<Utc>>,
    /// The reason for the failure, in words that users may see.
    pub error: Option<String>,
    /// The usage that the run reported, summed up by model. Empty if it reported none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<ModelUsage>,
}

impl Run {
    /// Moves an end before the start to the start. The clock may have been set back in between.
    pub(crate) fn end_after_start(&mut self) {
        self.ended_at = self.ended_at.map(|at| at.max(self.started_at));
    }
}
