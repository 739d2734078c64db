//! A conversation.

use super::frame::timestamp;
use super::{User, new_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A conversation between users and one agent of one worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Unique id.
    pub id: String,
    /// The deployed worker whose thread it is.
    pub worker_id: String,
    /// The same id, under the name that newer clients read.
    pub agent_id: String,
    /// The organization it belongs to.
    pub organization_id: String,
    /// The workspace it belongs to.
    pub workspace_id: String,
    /// Who began it.
    pub owner: User,
    /// Everyone who has written in it. A frame has at most [`MAX_SHOWN_USERS`](super::MAX_SHOWN_USERS) of them, see
    /// [`ShownThread`](super::ShownThread). Clients drop a thread without this array.
    pub users: Vec<User>,
    /// The title to show.
    pub title: Option<String>,
    /// Whatever the program or the client keeps with it.
    pub metadata: Option<Value>,
    /// When it was made.
    #[serde(with = "timestamp")]
    pub created_at: DateTime<Utc>,
    /// When its own row changed last.
    #[serde(with = "timestamp")]
    pub updated_at: DateTime<Utc>,
    /// When the last event came. If the clock was behind, right after the newest thread of the list.
    #[serde(with = "timestamp")]
    pub last_event_at: DateTime<Utc>,
}

impl Thread {
    /// Notes that the thread's own row changed. The clock may have been set back since the last change.
    pub(crate) fn redescribed(&mut self, at: DateTime<Utc>) {
        self.updated_at = self.updated_at.max(at);
    }

    /// A thread of nobody, as a unit test needs it.
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
