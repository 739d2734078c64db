//! The settings of a worker as this node last knew them.

use super::{Field, SettingsSchema, SettingsValues};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// The values of a worker's fields that this node has sent to subscribers and watchers. A secret is kept as a hash.
pub(super) struct KnownSettings {
    fields: HashMap<String, KnownValue>,
    hasher: RandomState,
    /// The version of the stored settings before they were read, see
    /// [`Store::setting_versions`](crate::store::Store::setting_versions).
    pub(super) version: Option<u64>,
}

#[derive(PartialEq)]
struct KnownValue {
    shown: Value,
    secret: Option<u64>,
}

impl KnownSettings {
    pub(super) fn of(schema: &SettingsSchema, values: &SettingsValues) -> Self {
        let mut known = Self {
            fields: HashMap::new(),
            hasher: RandomState::new(),
            version: None,
        };
        for field in schema.fields() {
            known.note(field, &values.of(field));
        }
        known
    }

    /// Replaces the value of a field. Returns the previous value, as clients see it, if the two differ.
    pub(super) fn note(&mut self, field: &Field, value: &Value) -> Option<Value> {
        let is_secret = field.is_secret();
        let now = KnownValue {
            shown: field.shown_value(value.clone()),
            secret: is_secret.then(|| self.hasher.hash_one(value.to_string())),
        };
        match self.fields.get_mut(field.id()) {
            Some(before) if *before == now => None,
            Some(before) => Some(std::mem::replace(before, now).shown),
            None => {
                self.fields.insert(field.id().to_owned(), now);
                None
            }
        }
    }
}

impl fmt::Debug for KnownSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownSettings")
            .field("fields", &self.fields.keys())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changed_values_are_found_and_secrets_hidden() {
        let schema = SettingsSchema::builder()
            .field(Field::integer("size").default(3))
            .field(Field::password("key").optional())
            .build()
            .unwrap();
        let values = SettingsValues::from_iter([("key".to_owned(), json!("hush"))]);
        let mut known = KnownSettings::of(&schema, &values);
        let (size, key) = (schema.field("size").unwrap(), schema.field("key").unwrap());
        assert_eq!(known.note(size, &json!(3)), None);
        assert_eq!(known.note(size, &json!(4)), Some(json!(3)));
        assert_eq!(known.note(size, &json!(4)), None);
        assert_eq!(known.note(key, &json!("hush")), None);
        assert_eq!(known.note(key, &json!("silent")), Some(Value::Null));
        assert_eq!(known.note(key, &json!("silent")), None);
        let text = format!("{known:?}");
        assert!(!text.contains("silent") && text.contains("key"), "{text}");
    }
}
