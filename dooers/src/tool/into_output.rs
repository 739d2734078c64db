//! Types that a tool can return.

use super::ToolOutput;
use crate::AgentError;
use serde::Serialize;

/// A type that a tool can return.
pub trait IntoToolOutput {
    /// Converts the value to the output of a tool.
    ///
    /// # Errors
    ///
    /// The error that the tool returned, or the error of the serialization.
    fn into_output(self) -> Result<ToolOutput, AgentError>;
}

impl<T: Serialize> IntoToolOutput for T {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        Ok(ToolOutput::json(serde_json::to_value(self)?))
    }
}

impl IntoToolOutput for ToolOutput {
    fn into_output(self) -> Result<ToolOutput, AgentError> {
        Ok(self)
    }
}
