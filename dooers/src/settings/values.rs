//! The values of settings by field.

use super::{Field, SettingValue};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The values of settings by the id of their field. Fields in groups are on the same level as the others.
///
/// `Debug` shows only the ids, because the values may contain secrets.
#[derive(Clone, Default)]
pub struct SettingsValues(BTreeMap<String, Entry>);

#[derive(Clone, PartialEq)]
struct Entry {
    value: Value,
    /// See [`SettingValue::assignment`].
    assignment: Option<u64>,
}

impl SettingsValues {
    /// The value of a field, if it has one.
    #[must_use]
    pub fn get(&self, field_id: &str) -> Option<&Value> {
        self.0.get(field_id).map(|entry| &entry.value)
    }

    /// Sets the value of a field.
    pub fn insert(&mut self, field_id: impl Into<String>, value: Value) {
        self.0.insert(field_id.into(), Entry::from(value));
    }

    /// Removes the value of a field and returns it.
    pub fn remove(&mut self, field_id: &str) -> Option<Value> {
        self.0.remove(field_id).map(|entry| entry.value)
    }

    /// All values, ordered by the id of their field.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(id, entry)| (id.as_str(), &entry.value))
    }

    /// Sets a field to a typed value. Used by generated code.
    pub fn put<T: SettingValue>(&mut self, field_id: &str, value: &T) {
        let entry = Entry {
            value: value.to_value(),
            assignment: value.assignment(),
        };
        self.0.insert(field_id.to_owned(), entry);
    }

    /// Copies the values of fields that have no value here.
    pub(super) fn fill(&mut self, defaults: &Self) {
        for (field_id, value) in defaults.iter() {
            if self.set_value(field_id).is_none() {
                self.insert(field_id, value.clone());
            }
        }
    }

    /// The value of a field: the value in this map, or else the default, or else `null`.
    pub(crate) fn of(&self, field: &Field) -> Value {
        let value = self.set_value(field.id()).or(field.default_value());
        value.cloned().unwrap_or(Value::Null)
    }

    /// The value of a field, if it has one. `null` is not a value: it stands for the default.
    pub(super) fn set_value(&self, field_id: &str) -> Option<&Value> {
        self.get(field_id).filter(|value| !value.is_null())
    }

    /// The values that were assigned after `before`. This includes secrets that were assigned with the same text.
    pub(super) fn assigned_since(self, before: &Self) -> Self {
        let assigned = self.0.into_iter();
        Self(
            assigned
                .filter(|(id, entry)| before.0.get(id) != Some(entry))
                .collect(),
        )
    }
}

impl From<Value> for Entry {
    fn from(value: Value) -> Self {
        Self {
            value,
            assignment: None,
        }
    }
}

impl PartialEq for SettingsValues {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for SettingsValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(String, Value)> for SettingsValues {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        let values = values.into_iter();
        Self(values.map(|(id, value)| (id, value.into())).collect())
    }
}
