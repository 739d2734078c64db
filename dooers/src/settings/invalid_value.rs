//! The refusal of a value or a change, and the checks that programs define.

use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The reason why a setting was not changed. The text is written for the person who tried to change it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The field does not exist, or is not visible to this audience.
    #[error("there is no setting `{0}`")]
    NotFound(String),
    /// The field is readonly, or this audience must not change it.
    #[error("`{0}` cannot be changed")]
    Readonly(String),
    /// The field is internal: only the program can change it.
    #[error("only the program can change `{0}`")]
    Internal(String),
    /// The value does not fit the field.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
}

/// The error for a value that does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field_id}` cannot be {given}; {allowed}")]
pub struct InvalidValue {
    pub(super) field_id: String,
    pub(super) given: String,
    pub(super) allowed: String,
}

impl InvalidValue {
    /// The id of the field.
    #[must_use]
    pub fn field_id(&self) -> &str {
        &self.field_id
    }

    /// A description of the values that the field accepts.
    #[must_use]
    pub fn allowed(&self) -> &str {
        &self.allowed
    }
}

type Check = dyn Fn(&Value) -> Result<(), String> + Send + Sync;

/// A check that the program defines.
#[derive(Clone)]
pub(super) struct Validator(pub(super) Arc<Check>);

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validator(…)")
    }
}
