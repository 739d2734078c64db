//! Settings in their stored form.

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Identifies the settings of one worker of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerKey {
    /// The agent's name.
    pub agent: String,
    /// The id of the deployed worker.
    pub worker_id: String,
}

/// The stored value of one field. `Debug` does not show the value, because it may be a secret.
#[derive(Clone, PartialEq)]
pub struct StoredSetting {
    /// The id of the field.
    pub field_id: String,
    /// The value of the field. If `key_id` is set, a JSON text that only the holder of that key can read.
    pub value: Value,
    /// The id of the key that seals the value. `None` if the value is not sealed.
    pub key_id: Option<String>,
    /// The time at which the value was stored.
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

/// A hash of the settings of a worker, which serves as their version.
pub(super) fn version_of(settings: &[StoredSetting]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for setting in settings {
        let StoredSetting {
            field_id,
            value,
            key_id,
            updated_at,
        } = setting;
        (field_id, value.to_string(), key_id, updated_at).hash(&mut hasher);
    }
    hasher.finish()
}
