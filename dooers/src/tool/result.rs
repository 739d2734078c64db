//! The result of a call.

use serde_json::{Value, json};

/// The result of a call, for the model.
///
/// A call that failed, or that was refused, has a result as well. It is `{"error": "…"}`, with a text by which the model
/// can correct itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    id: String,
    name: String,
    value: Value,
    is_error: bool,
}

impl ToolResult {
    pub(super) fn new(id: String, name: String, outcome: Result<Value, String>) -> Self {
        let is_error = outcome.is_err();
        let value = outcome.unwrap_or_else(error_value);
        Self {
            id,
            name,
            value,
            is_error,
        }
    }

    /// The id of the call. It differs from the id that the model gave if that id was empty, was used before in the
    /// thread, or is one that some provider does not accept.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the tool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The result as it is stored: the output of the tool, or `{"error": "…"}`.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns true if the call failed or was refused.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// The result as a text for the model. A text is returned unchanged, any other value as JSON.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// The result of a call that failed.
pub(super) fn error_value(text: String) -> Value {
    json!({ "error": text })
}
