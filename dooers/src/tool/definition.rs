//! The trait of annotated tools.

use super::DynamicTool;

/// A tool: one async function that a model can call.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    label = "not created by `#[dooers::tool]`",
    note = "annotate an async function with `#[dooers::tool]` and use the name of that function here"
)]
pub trait Tool: 'static {
    /// The name by which the model calls the tool.
    const NAME: &'static str;

    /// The tool with its description, JSON Schema, options and handler.
    fn definition() -> DynamicTool;
}
