//! A module with strict lints. The code of the macros passes them.
#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    warnings,
    missing_debug_implementations,
    missing_copy_implementations,
    single_use_lifetimes,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::exhaustive_structs
)]

use dooers::prelude::*;

/// Looks up the weather of a city.
///
/// # Errors
///
/// If there is no such city.
#[dooers::tool(timeout = "10s", effect = "read", strict, approve = is_long)]
pub async fn weather(
    /// The city.
    city: String,
    /// The number of days.
    #[tool(default = 3)]
    days: u8,
    #[tool(context)] request: WorkerRequest,
) -> Result<String> {
    std::future::ready(()).await;
    Ok(format!("{city} {days} {}", request.message))
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the predicate of `approve` takes references to the arguments"
)]
fn is_long(city: &str, days: &u8) -> bool {
    city.len() > usize::from(*days)
}

/// A tool that awaits nothing.
#[dooers::tool(type = Immediate)]
pub async fn immediate(text: String) -> String {
    text
}

#[dooers::tool]
async fn of_an_agent() {
    std::future::ready(()).await;
}

/// An agent that uses a private tool.
#[dooers::agent(tools(of_an_agent))]
pub async fn with_a_private_tool(tools: Tools) -> String {
    tools.names().concat()
}

macro_rules! tool {
    ($name:ident) => {
        /// A tool of a macro.
        #[dooers::tool]
        pub async fn $name() {}
    };
}

tool!(generated);

/// A tool whose name is a keyword.
#[dooers::tool]
pub async fn r#match() {
    std::future::ready(()).await;
}
