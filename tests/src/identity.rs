//! The identity that a client sends in `connect`.

use serde_json::{Map, Value, json};

/// The identity of a client, in one of the shapes that `connect` accepts.
#[derive(Debug, Clone)]
pub struct Identity {
    payload: Map<String, Value>,
    user_id: String,
}

impl Identity {
    /// A user of worker `w1`, organization `o1` and workspace `s1`, in the shape of current clients.
    pub fn of(user_id: impl Into<String>) -> Self {
        let user_id = user_id.into();
        let payload = json!({
            "agent_id": "w1",
            "organization_id": "o1",
            "workspace_id": "s1",
            "user": {"user_id": user_id},
        });
        Self {
            payload: members(payload),
            user_id,
        }
    }

    /// Uses the oldest dialect: the worker is called `worker_id`, and a snapshot may replace the client's list
    /// of events.
    #[must_use]
    pub fn using_worker_id(mut self) -> Self {
        let worker = self.payload.remove("agent_id").unwrap_or_default();
        self.payload.insert("worker_id".to_owned(), worker);
        self
    }

    /// Enables deltas for streaming texts.
    #[must_use]
    pub fn with_deltas(self) -> Self {
        self.with("capabilities", json!(["event.delta"]))
    }

    /// Sets a member, such as another worker, organization or workspace.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.payload.insert(member.to_owned(), value.into());
        self
    }

    /// Uses the shape that nests the identity in `metadata`.
    #[must_use]
    pub fn nested_in_metadata(mut self) -> Self {
        let organization = self.payload.remove("organization_id");
        let workspace = self.payload.remove("workspace_id");
        self.payload.remove("user");
        let metadata = json!({
            "organization_id": organization,
            "workspace_id": workspace,
            "user_id": self.user_id,
        });
        self.payload.insert("metadata".to_owned(), metadata);
        self
    }

    /// Uses the shape with flat members.
    #[must_use]
    pub fn flat(mut self) -> Self {
        self.payload.remove("user");
        let user_id = Value::from(self.user_id.clone());
        self.payload.insert("user_id".to_owned(), user_id);
        self
    }

    /// The payload of `connect`.
    #[must_use]
    pub fn payload(&self) -> Value {
        Value::Object(self.payload.clone())
    }
}

impl From<&str> for Identity {
    fn from(user_id: &str) -> Self {
        Self::of(user_id)
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is not an object"),
    }
}
