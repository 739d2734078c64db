//! Settings, as they are stored.

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::fmt;

/// Whose settings: those of one worker of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerKey {
    /// The agent's name.
    pub agent: String,
    /// The deployed worker.
    pub worker_id: String,
}

/// The value of one field. `Debug` does not show it: it may be a secret.
#[derive(Clone, PartialEq)]
pub struct StoredSetting {
    /// The field.
    pub field_id: String,
    /// Its value; with a `key_id` a JSON text that only the holder of that key can read.
    pub value: Value,
    /// With which key the value is sealed, if it is.
    pub key_id: Option<String>,
    /// When it was stored.
    pub updated_at: DateTime<Utc>,
}

impl fmt::Debug for StoredSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSetting")
            .field("field_id", &self.field_id)
            .field("key_id", &self.key_id)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}
