//! The error for a bad environment variable.

use std::borrow::Cow;

/// An environment variable with a value that is not allowed, or without one although it is required.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is {}; {allowed}", shown(.value))]
#[non_exhaustive]
pub struct ConfigError {
    /// The name of the variable.
    pub variable: &'static str,
    /// The value of the variable, or `…` if it is secret. Empty if the variable is not set.
    pub value: String,
    /// A description of the allowed values.
    pub allowed: String,
}

fn shown(value: &str) -> Cow<'_, str> {
    if value.is_empty() {
        "not set".into()
    } else {
        format!("`{value}`").into()
    }
}
