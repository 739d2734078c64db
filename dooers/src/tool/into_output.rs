//! Types that a tool can return.

use super::ToolOutput;
use crate::AgentError;
use serde::Serialize;

/// A type that an annotated tool can return: every type that implements `Serialize`, and [`ToolOutput`].
///
/// A tool can also return content parts, and a `Result` of any of these. `()` becomes `null`.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::tool::{IntoToolOutput, ToolOutput};
/// use serde_json::json;
///
/// #[derive(serde::Serialize)]
/// struct Weather {
///     celsius: i16,
/// }
///
/// # fn main() -> Result<()> {
/// assert_eq!(Weather { celsius: 21 }.into_output()?, ToolOutput::json(json!({"celsius": 21})));
/// assert_eq!("sunny".into_output()?, ToolOutput::text("sunny"));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by a tool",
    label = "does not implement `serde::Serialize`",
    note = "a tool returns a type with `#[derive(serde::Serialize)]`, a text, `ToolOutput`, parts of a message such as `Vec<ContentPart>`, or a `Result` of any of these"
)]
pub trait IntoToolOutput {
    /// Converts the value to the output of a tool.
    ///
    /// # Errors
    ///
    /// The error of the serialization.
    fn into_output(self) -> Result<ToolOutput, AgentError>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> IntoToolOutput for T {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        ToolOutput::serialized(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoToolOutput for ToolOutput {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        Ok(self)
    }
}
