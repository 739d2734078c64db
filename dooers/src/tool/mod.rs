//! Tools: functions that a model can call.
//!
//! [`Tools`] is a set of tools. Its definitions go to a model, and it runs the calls that the model asks for. A tool is an
//! annotated function or a [`DynamicTool`]. The [guide](crate::guide::tools) explains how to use them.

mod agent;
mod annotated;
mod approval;
mod approval_form;
mod argument;
mod argument_list;
mod arguments;
mod call;
mod context_argument;
pub(crate) mod definition;
pub(crate) mod dynamic;
mod effect;
mod format;
mod handler_output;
mod into_output;
mod misfit;
mod missing;
mod open_call;
mod output;
#[doc(hidden)]
pub mod private;
mod request;
mod result;
mod returned;
mod run;
mod schema;
mod schema_builder;
mod strict;
#[cfg(test)]
mod tests;
pub(crate) mod tools;
mod value_argument;

pub use approval::Approval;
pub use arguments::MAX_ARGUMENT_BYTES;
pub use effect::ToolEffect;
pub use format::ToolFormat;
pub use handler_output::HandlerOutput;
pub use into_output::IntoToolOutput;
pub use output::ToolOutput;
pub use request::ToolRequest;
pub use result::ToolResult;
pub use run::MAX_RESULT_BYTES;

// In the root of the crate.
pub(crate) use definition::Tool;
pub(crate) use dynamic::DynamicTool;
pub(crate) use tools::Tools;
