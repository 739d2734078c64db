//! Who a test's client is.

use crate::protocol::User;
use serde_json::{Value, json};

/// Who a [`TestClient`](super::TestClient) is: what it says in its `connect`.
///
/// A text is the user of that id: `server.connect("ada")`. Unless told otherwise, it is a user of the worker
/// [`WORKER_ID`](Self::WORKER_ID), in the organization and workspace without a name.
///
/// ```
/// use dooers::testing::TestUser;
///
/// let boss = TestUser::new("eve").organization("acme").organization_role("owner");
/// ```
#[derive(Debug, Clone)]
#[must_use = "it is nobody until `TestServer::connect` takes it"]
pub struct TestUser {
    worker_id: String,
    organization_id: String,
    workspace_id: String,
    user: User,
    takes_deltas: bool,
    says_worker_id: bool,
}

impl TestUser {
    /// The worker that a user is of, unless told: the same as that of
    /// [`WorkerRequest::new`](crate::WorkerRequest::new).
    pub const WORKER_ID: &str = "worker";

    /// This user. The empty id is nobody.
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

    /// The same user, who talks to the agent of this worker.
    pub fn worker(mut self, worker_id: impl Into<String>) -> Self {
        self.worker_id = worker_id.into();
        self
    }

    /// The same user in this organization.
    pub fn organization(mut self, organization_id: impl Into<String>) -> Self {
        self.organization_id = organization_id.into();
        self
    }

    /// The same user in this workspace.
    pub fn workspace(mut self, workspace_id: impl Into<String>) -> Self {
        self.workspace_id = workspace_id.into();
        self
    }

    /// The same user under a name to show.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.user.user_name = Some(name.into());
        self
    }

    /// The same user with this mail address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.user.user_email = Some(email.into());
        self
    }

    /// The same user with this role in the whole system.
    pub fn system_role(mut self, role: impl Into<String>) -> Self {
        self.user.system_role = role.into();
        self
    }

    /// The same user with this role in the organization: an `owner` or `manager` may see the settings of creators.
    pub fn organization_role(mut self, role: impl Into<String>) -> Self {
        self.user.organization_role = role.into();
        self
    }

    /// The same user with this role in the workspace.
    pub fn workspace_role(mut self, role: impl Into<String>) -> Self {
        self.user.workspace_role = role.into();
        self
    }

    /// The same user at a client that takes no pieces of a text: it gets the whole text again and again as that grows.
    pub fn without_deltas(mut self) -> Self {
        self.takes_deltas = false;
        self
    }

    /// The same user at one of the oldest clients, which say `worker_id` and replace what they show by what they get
    /// when they resume.
    pub fn at_old_client(mut self) -> Self {
        self.says_worker_id = true;
        self
    }

    /// Whether the client keeps what it shows when it resumes.
    pub(super) fn keeps_its_events(&self) -> bool {
        !self.says_worker_id
    }

    /// Whether this is the user.
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
