//! One attempt of an agent to answer a message.

use super::frame::{optional_timestamp, timestamp};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// The agent works.
    Running,
    /// The agent is done.
    Succeeded,
    /// The agent failed, or its process ended.
    Failed,
    /// Somebody stopped it.
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

/// The events of one turn belong to one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Unique id.
    pub id: String,
    /// The thread it belongs to.
    pub thread_id: String,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The name of the agent that runs.
    pub agent_id: Option<String>,
    /// How it stands.
    pub status: RunStatus,
    /// When it began. Never changes.
    #[serde(with = "timestamp")]
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "optional_timestamp")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it failed, in words that may be shown.
    pub error: Option<String>,
}

impl Run {
    /// Moves an end before the beginning to the beginning. The clock may have been set back in between.
    pub(crate) fn end_after_start(&mut self) {
        self.ended_at = self.ended_at.map(|at| at.max(self.started_at));
    }
}
