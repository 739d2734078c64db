//! Threads, the conversations of users and agents.

use super::timestamp;
use super::{User, new_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A conversation between users and one agent of one worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Thread {
    /// The unique id.
    pub id: String,
    /// The id of the worker.
    pub worker_id: String,
    /// The same id, under the name that newer clients read.
    pub agent_id: String,
    /// The id of the organization.
    pub organization_id: String,
    /// The id of the workspace.
    pub workspace_id: String,
    /// The user who started the thread.
    pub owner: User,
    /// All users who have written in the thread. A frame has at most [`MAX_SHOWN_USERS`](super::MAX_SHOWN_USERS) of
    /// them. Clients drop a thread without this array.
    pub users: Vec<User>,
    /// The title to show.
    pub title: Option<String>,
    /// Metadata of the program or the client.
    pub metadata: Option<Value>,
    /// The time at which the thread was created.
    #[serde(with = "timestamp")]
    pub created_at: DateTime<Utc>,
    /// The time of the last change of the thread's own row.
    #[serde(with = "timestamp")]
    pub updated_at: DateTime<Utc>,
    /// The time of the last event. If the clock was behind, it is one microsecond after the time of the newest thread in
    /// the list.
    #[serde(with = "timestamp")]
    pub last_event_at: DateTime<Utc>,
}

impl Thread {
    /// Records a change of the thread's own row. The clock may have been set back since the last change.
    pub(crate) fn redescribed(&mut self, at: DateTime<Utc>) {
        self.updated_at = self.updated_at.max(at);
    }

    /// A thread of an anonymous user, for unit tests.
    pub(crate) fn of_nobody() -> Self {
        let now = timestamp::now();
        Self {
            id: new_id(),
            worker_id: "worker".to_owned(),
            agent_id: "worker".to_owned(),
            organization_id: String::new(),
            workspace_id: String::new(),
            owner: User::new(""),
            users: Vec::new(),
            title: None,
            metadata: None,
            created_at: now,
            updated_at: now,
            last_event_at: now,
        }
    }
}
