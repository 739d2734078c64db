//! Tools: functions that a model can call.

mod agent;
mod approval;
mod definition;
mod dynamic;
mod effect;
mod into_output;
mod output;
pub mod private;
mod tools;

pub use approval::Approval;
pub use definition::Tool;
pub use dynamic::DynamicTool;
pub use effect::ToolEffect;
pub use into_output::IntoToolOutput;
pub use output::ToolOutput;
pub use tools::Tools;
