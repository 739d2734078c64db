//! Types that the handler of a tool made at run time can return.

use super::{IntoToolOutput, ToolOutput};
use crate::AgentError;
use std::marker::PhantomData;

/// A type that the handler of a [`DynamicTool`](super::DynamicTool) can return: an [`IntoToolOutput`], or a `Result` of one
/// with an error that converts into [`AgentError`].
///
/// `Kind` tells the two apart, because a `Result` can implement `Serialize`. The compiler infers it. Programs do not have to
/// name or implement this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by the handler of a tool",
    label = "not an output of a tool",
    note = "a handler returns a type that implements `serde::Serialize`, a text, `ToolOutput`, or a `Result` of any of these whose error converts into `AgentError`"
)]
pub trait HandlerOutput<Kind> {
    /// Converts the value to the output of a tool.
    ///
    /// # Errors
    ///
    /// The error that the handler returned, or the error of the serialization.
    fn into_handler_output(self) -> Result<ToolOutput, AgentError>;
}

/// The kind of outputs that are not a `Result`.
#[derive(Debug)]
pub struct Plain(PhantomData<()>);

/// The kind of outputs that are a `Result`.
#[derive(Debug)]
pub struct Fallible(PhantomData<()>);

impl<T: IntoToolOutput> HandlerOutput<Plain> for T {
    fn into_handler_output(self) -> Result<ToolOutput, AgentError> {
        self.into_output()
    }
}

impl<T: IntoToolOutput, E: Into<AgentError>> HandlerOutput<Fallible> for Result<T, E> {
    fn into_handler_output(self) -> Result<ToolOutput, AgentError> {
        self.map_err(Into::into)?.into_output()
    }
}
