//! The values of settings, by their fields.

use super::{Field, SettingValue};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The values of settings, by the ids of their fields; fields in groups stand beside the others.
///
/// `Debug` shows the ids only: there may be secrets among the values.
#[derive(Clone, Default)]
pub struct SettingsValues(BTreeMap<String, Entry>);

#[derive(Clone, PartialEq)]
struct Entry {
    value: Value,
    /// See [`SettingValue::assignment`].
    assignment: Option<u64>,
}

impl SettingsValues {
    /// The value of a field, if there is one.
    #[must_use]
    pub fn get(&self, field_id: &str) -> Option<&Value> {
        self.0.get(field_id).map(|entry| &entry.value)
    }

    /// Sets the value of a field.
    pub fn insert(&mut self, field_id: impl Into<String>, value: Value) {
        self.0.insert(field_id.into(), Entry::from(value));
    }

    /// Takes the value of a field away.
    pub fn remove(&mut self, field_id: &str) -> Option<Value> {
        self.0.remove(field_id).map(|entry| entry.value)
    }

    /// All values, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(id, entry)| (id.as_str(), &entry.value))
    }

    /// Sets a field to a typed value. Generated code calls it.
    pub fn put<T: SettingValue>(&mut self, field_id: &str, value: &T) {
        let entry = Entry {
            value: value.to_value(),
            assignment: value.assignment(),
        };
        self.0.insert(field_id.to_owned(), entry);
    }

    /// Takes over the values of fields that have none here.
    pub(super) fn fill(&mut self, defaults: &Self) {
        for (field_id, value) in defaults.iter() {
            if self.set_value(field_id).is_none() {
                self.insert(field_id, value.clone());
            }
        }
    }

    /// The value of a field: the one that is here, or else its default, or else `null`.
    pub(crate) fn of(&self, field: &Field) -> Value {
        let value = self.set_value(field.id()).or(field.default_value());
        value.cloned().unwrap_or(Value::Null)
    }

    /// The value of a field, if there is one. `null` is none: it stands for the field's default.
    pub(super) fn set_value(&self, field_id: &str) -> Option<&Value> {
        self.get(field_id).filter(|value| !value.is_null())
    }

    /// The values that were assigned since these were `before`. A secret that was assigned is among them even if its
    /// text is the same.
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
