//! The output of a tool.

use crate::AgentError;
use crate::protocol::{ContentPart, joined_text};
use serde::Serialize;
use serde_json::Value;

/// The output of a tool: JSON, a text, or content parts.
///
/// A tool usually returns its own type, which [`IntoToolOutput`](super::IntoToolOutput) converts.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::tool::ToolOutput;
/// use serde_json::json;
///
/// assert_eq!(ToolOutput::text("sunny").into_value(), json!("sunny"));
///
/// let picture = ContentPart::image("https://example.org/map.png").into();
/// let output = ToolOutput::parts(vec![picture]);
/// assert_eq!(output.into_value(), json!([{"type": "image", "url": "https://example.org/map.png"}]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ToolOutput(Value);

impl ToolOutput {
    /// Creates an output from JSON. A JSON string is the same as a [text](Self::text).
    #[must_use]
    pub fn json(value: impl Into<Value>) -> Self {
        Self(value.into())
    }

    /// Creates an output from a value that can be serialized as JSON.
    ///
    /// ```
    /// use dooers::tool::ToolOutput;
    /// use serde_json::json;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Weather {
    ///     celsius: i16,
    /// }
    ///
    /// # fn main() -> dooers::Result<()> {
    /// let output = ToolOutput::serialized(Weather { celsius: 21 })?;
    /// assert_eq!(output.into_value(), json!({"celsius": 21}));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the serialization, for example of a map whose keys are not texts.
    pub fn serialized(value: impl Serialize) -> Result<Self, AgentError> {
        Ok(Self(serde_json::to_value(value)?))
    }

    /// Creates an output from a text, which the model gets unchanged.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self(Value::String(text.into()))
    }

    /// Creates an output from content parts. Text parts are joined by line breaks. If there are other parts, the output is
    /// the JSON of all parts.
    #[must_use]
    pub fn parts(parts: Vec<ContentPart>) -> Self {
        if parts.iter().all(|part| part.as_text().is_some()) {
            return Self::text(joined_text(&parts));
        }
        Self(serde_json::to_value(parts).unwrap_or_default())
    }

    /// The JSON that is stored and that the model gets. A text is a JSON string.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }
}
