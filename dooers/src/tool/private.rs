//! Items that generated code calls. They are not part of the public API and may change in any release.

pub use super::agent::part;
pub use super::annotated::{annotated, annotated_with_approval, refused};
pub use super::argument::AnyArgument;
pub use super::returned::{AnyReturn, returned};

use serde_json::Value;

/// A text, a number or a boolean as JSON.
pub fn json(value: impl Into<Value>) -> Value {
    value.into()
}

/// A list as JSON.
#[must_use]
pub fn json_list<const LENGTH: usize>(items: [Value; LENGTH]) -> Value {
    Value::Array(items.into())
}
