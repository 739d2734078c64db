//! Agents, tools and settings of a crate that renames `dooers`.

use runtime::prelude::*;

/// An agent with a relative path to the crate.
///
/// # Errors
///
/// None.
#[runtime::agent(crate = runtime)]
pub async fn relative(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response.text(request.message);
    Ok(())
}

/// An agent with an absolute path to the crate.
#[runtime::agent(crate = ::runtime)]
pub async fn absolute() {}

/// A module that exports the crate again.
pub mod facade {
    pub use runtime as inner;
}

/// An agent with a path through another module.
#[runtime::agent(crate = crate::facade::inner)]
pub async fn passed_on() {}

/// A tool with a relative path to the crate.
#[runtime::tool(crate = runtime, approve = is_large, effect = "read", timeout = "1s")]
pub async fn add(one: u8, #[tool(default = 2)] two: u8) -> u8 {
    one + two
}

fn is_large(one: &u8, two: &u8) -> bool {
    one + two > 10
}

/// An agent with a tool and a path through another module.
#[runtime::agent(crate = crate::facade::inner, tools(add))]
pub async fn with_tools(tools: Tools) -> String {
    tools.names().concat()
}

/// The tone of the answers.
#[derive(Debug, Clone, runtime::SettingChoice)]
#[setting(crate = runtime)]
pub enum Tone {
    /// A warm tone.
    Warm,
}

/// Settings with a path to the crate.
#[derive(Debug, Clone, runtime::WorkerSettings)]
#[setting(crate = ::runtime)]
pub struct Tuning {
    /// The tone of the answers.
    #[setting(default = "warm")]
    pub tone: Tone,
    /// More settings.
    #[setting(group)]
    pub more: More,
}

/// A group with a path to the crate.
#[derive(Debug, Clone, runtime::WorkerSettings)]
#[setting(crate = crate::facade::inner, group)]
pub struct More {
    /// A number.
    #[setting(default = 3)]
    pub size: u8,
}
