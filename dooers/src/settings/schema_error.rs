//! The error for a schema that cannot be used.

/// All mistakes in a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the settings cannot be used:\n{}", .0.join("\n"))]
pub struct SchemaError(pub(super) Vec<String>);

impl SchemaError {
    /// The mistakes, one sentence each.
    #[must_use]
    pub fn mistakes(&self) -> &[String] {
        &self.0
    }
}
