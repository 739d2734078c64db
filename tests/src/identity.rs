//! Who a client says it is.

use serde_json::{Map, Value, json};

/// Who a client says it is, in one of the shapes that a `connect` may have.
#[derive(Debug, Clone)]
pub struct Identity {
    payload: Map<String, Value>,
    user_id: String,
}

impl Identity {
    /// This user of the worker `w1`, in the organization `o1` and the workspace `s1`, as newer clients write it.
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

    /// The same, in the oldest dialect: the worker is called `worker_id`, and the client may replace its list of
    /// events by a snapshot.
    #[must_use]
    pub fn using_worker_id(mut self) -> Self {
        let worker = self.payload.remove("agent_id").unwrap_or_default();
        self.payload.insert("worker_id".to_owned(), worker);
        self
    }

    /// The same, as a client that takes texts piece by piece.
    #[must_use]
    pub fn with_deltas(self) -> Self {
        self.with("capabilities", json!(["event.delta"]))
    }

    /// The same user of another worker, organization or workspace.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.payload.insert(member.to_owned(), value.into());
        self
    }

    /// The same identity in the shape that nests it in `metadata`.
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

    /// The same identity in the shape of flat members.
    #[must_use]
    pub fn flat(mut self) -> Self {
        self.payload.remove("user");
        let user_id = Value::from(self.user_id.clone());
        self.payload.insert("user_id".to_owned(), user_id);
        self
    }

    /// The payload of its `connect`.
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
        other => panic!("{other} is no object"),
    }
}
