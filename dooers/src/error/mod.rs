//! The errors of handlers, and what creates and describes them.

mod agent_error;
mod as_error;
mod bail;
mod context;
mod panics;
mod send_error;

pub use agent_error::{AgentError, Result};
pub use context::Context;
pub use send_error::SendError;

pub(crate) use panics::panic_text;
