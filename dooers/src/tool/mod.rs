//! Tools: functions that a model can call.

mod agent;
mod annotated;
mod approval;
mod argument;
mod argument_list;
mod context_argument;
mod definition;
mod dynamic;
mod effect;
mod into_output;
mod missing;
mod output;
pub mod private;
mod returned;
mod schema_builder;
mod tools;
mod value_argument;

pub use approval::Approval;
pub use definition::Tool;
pub use dynamic::DynamicTool;
pub use effect::ToolEffect;
pub use into_output::IntoToolOutput;
pub use output::ToolOutput;
pub use tools::Tools;
