//! The error for a bad environment variable.

/// An environment variable with a value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is `{value}`; {allowed}")]
#[non_exhaustive]
pub struct ConfigError {
    /// The name of the variable.
    pub variable: &'static str,
    /// The value of the variable, or `…` if it is secret.
    pub value: String,
    /// A description of the allowed values.
    pub allowed: String,
}
