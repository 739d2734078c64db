//! The conversation of a thread, as handlers and models read it.
//!
//! [`WorkerMemory`] reads the events of a thread in pages. A transcript converts them to [`ChatMessage`]s, a neutral
//! form in which each tool call contains its result. A [`HistoryFormat`] writes these messages as one API accepts
//! them.

mod error;
mod filter;
mod format;
mod forms;
mod media;
mod memory;
mod message;
mod pages;
mod pairing;
mod query;
mod source;
#[cfg(test)]
pub(crate) mod tests;
mod tools;
mod transcript;
mod view;

pub use error::MemoryError;
pub use format::HistoryFormat;
pub use memory::WorkerMemory;
pub use message::{ChatMessage, ChatRole, ToolUse};
pub use query::{DEFAULT_HISTORY_LIMIT, MemoryQuery};

#[cfg(feature = "testing")]
pub(crate) use pairing::{OpenCalls, ToolKey};
#[cfg(feature = "tools")]
pub(crate) use tools::{function_name, is_call_id};
pub(crate) use view::{OwnAnswers, OwnEvents, OwnRuns};
