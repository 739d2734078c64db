//! The workers that an identity may use.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// The workers that an identity may use.
///
/// Its JSON is a list of ids, or `"*"` for every worker.
///
/// ```
/// use dooers::auth::AllowedWorkers;
///
/// let workers = AllowedWorkers::only(["support", "sales"]);
/// assert!(workers.allows("sales"));
/// assert!(!workers.allows("billing"));
/// assert!(AllowedWorkers::Every.allows("billing"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllowedWorkers {
    /// Every worker. Organizations share workers, so a role in an organization gives no rights over them: see
    /// [`Rights`](super::Rights).
    #[default]
    Every,
    /// The workers with these ids, and no others.
    Only(BTreeSet<String>),
}

/// The JSON for every worker.
const EVERY: &str = "*";

impl AllowedWorkers {
    /// Creates a list of workers. An empty list allows no worker.
    pub fn only(ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Only(ids.into_iter().map(Into::into).collect())
    }

    /// Returns true if the worker may be used.
    #[must_use]
    pub fn allows(&self, worker_id: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Only(ids) => ids.contains(worker_id),
        }
    }

    /// Returns true if the list names the worker. `Every` names none.
    pub(super) fn names(&self, worker_id: &str) -> bool {
        matches!(self, Self::Only(ids) if ids.contains(worker_id))
    }
}

impl Serialize for AllowedWorkers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Every => serializer.serialize_str(EVERY),
            Self::Only(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedWorkers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected a list of worker ids, or \"*\" for every worker"
        )]
        enum Written {
            Ids(BTreeSet<String>),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Ids(ids) => Ok(Self::Only(ids)),
            Written::Text(text) if text == EVERY => Ok(Self::Every),
            Written::Text(_) => Err(serde::de::Error::custom(
                "expected a list of worker ids, or \"*\" for every worker",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_list_or_a_star() {
        for (json, workers) in [
            (r#""*""#, AllowedWorkers::Every),
            ("[]", AllowedWorkers::Only(BTreeSet::new())),
            (r#"["a","b"]"#, AllowedWorkers::only(["b", "a"])),
        ] {
            assert_eq!(serde_json::to_string(&workers).unwrap(), json);
            let read: AllowedWorkers = serde_json::from_str(json).unwrap();
            assert_eq!(read, workers);
        }
        for json in [r#""a""#, "null", "{}", "[1]", r#""""#] {
            let read = serde_json::from_str::<AllowedWorkers>(json);
            let error = read.expect_err(json).to_string();
            assert!(
                error.starts_with("expected a list of worker ids"),
                "{error}"
            );
        }
    }

    #[test]
    fn worker_is_named_only_by_a_list() {
        assert!(AllowedWorkers::only(["w"]).names("w"));
        assert!(!AllowedWorkers::only(["w"]).names("v"));
        assert!(!AllowedWorkers::Every.names("w"));
    }
}
