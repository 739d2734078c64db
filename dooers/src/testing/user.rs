//! The user of a test client.

use crate::protocol::User;
use serde_json::{Value, json};

/// The user of a [`TestClient`](super::TestClient), as named in `connect`.
///
/// A string converts to the user with this id: `server.connect("ada")`. By default the worker is
/// [`WORKER_ID`](Self::WORKER_ID), and the ids of the organization and the workspace are empty.
///
/// ```
/// use dooers::testing::TestUser;
///
/// let boss = TestUser::new("eve").organization("acme").organization_role("owner");
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is passed to `TestServer::connect`"]
pub struct TestUser {
    worker_id: String,
    organization_id: String,
    workspace_id: String,
    user: User,
    takes_deltas: bool,
    says_worker_id: bool,
}

impl TestUser {
    /// Default worker id, the same as in [`WorkerRequest::new`](crate::WorkerRequest::new).
    pub const WORKER_ID: &str = "worker";

    /// Creates a user. The empty id is an anonymous user.
    pub fn new(user: impl Into<User>) -> Self {
        Self {
            worker_id: Self::WORKER_ID.to_owned(),
            organization_id: String::new(),
            workspace_id: String::new(),
            user: user.into(),
            takes_deltas: true,
            says_worker_id: false,
        }
    }

    /// Sets the worker that the user talks to.
    pub fn worker(mut self, worker_id: impl Into<String>) -> Self {
        self.worker_id = worker_id.into();
        self
    }

    /// Sets the organization.
    pub fn organization(mut self, organization_id: impl Into<String>) -> Self {
        self.organization_id = organization_id.into();
        self
    }

    /// Sets the workspace.
    pub fn workspace(mut self, workspace_id: impl Into<String>) -> Self {
        self.workspace_id = workspace_id.into();
        self
    }

    /// Sets the display name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.user.user_name = Some(name.into());
        self
    }

    /// Sets the email address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.user.user_email = Some(email.into());
        self
    }

    /// Sets the role in the whole system.
    pub fn system_role(mut self, role: impl Into<String>) -> Self {
        self.user.system_role = role.into();
        self
    }

    /// Sets the role in the organization. An `owner` or `manager` may see the settings of creators.
    pub fn organization_role(mut self, role: impl Into<String>) -> Self {
        self.user.organization_role = role.into();
        self
    }

    /// Sets the role in the workspace.
    pub fn workspace_role(mut self, role: impl Into<String>) -> Self {
        self.user.workspace_role = role.into();
        self
    }

    /// Makes the client not announce `event.delta`. It receives the whole text each time the text has grown.
    pub fn without_deltas(mut self) -> Self {
        self.takes_deltas = false;
        self
    }

    /// Makes the client behave like the oldest published clients. They send `worker_id`, and when they resume they
    /// replace their events by the snapshot.
    pub fn at_old_client(mut self) -> Self {
        self.says_worker_id = true;
        self
    }

    /// Returns true if the client keeps its events when it resumes.
    pub(super) fn keeps_its_events(&self) -> bool {
        !self.says_worker_id
    }

    /// Returns true if this is the same user.
    pub(super) fn is(&self, user: Option<&User>) -> bool {
        user.is_some_and(|user| user.user_id == self.user.user_id)
    }

    /// The payload of the `connect`.
    pub(super) fn connect_payload(&self) -> Value {
        let worker = if self.says_worker_id {
            "worker_id"
        } else {
            "agent_id"
        };
        let mut payload = json!({
            worker: self.worker_id,
            "organization_id": self.organization_id,
            "workspace_id": self.workspace_id,
            "user": self.user,
        });
        if self.takes_deltas {
            payload["capabilities"] = json!(["event.delta"]);
        }
        payload
    }
}

impl From<&str> for TestUser {
    fn from(user_id: &str) -> Self {
        Self::new(user_id)
    }
}

impl From<String> for TestUser {
    fn from(user_id: String) -> Self {
        Self::new(user_id)
    }
}

impl From<User> for TestUser {
    fn from(user: User) -> Self {
        Self::new(user)
    }
}
