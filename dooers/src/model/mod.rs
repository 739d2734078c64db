//! Models, and the loop that lets them call tools.
//!
//! [`Tools::run`](crate::Tools::run) is the loop. It works with every [`ChatModel`]:
//!
//! * [`OpenAi`] (feature `openai`), for OpenAI and servers that are compatible with it;
//! * [`FakeModel`](crate::testing::FakeModel) (feature `testing`), whose answers a test writes;
//! * your own implementation, for other providers.
//!
//! The [guide](crate::guide::models) explains how to use them.

mod answer;
mod assemble;
mod chat_model;
mod completion;
mod delta;
mod error;
#[cfg(feature = "openai")]
mod open_ai;
mod options;
mod request;
mod run;

pub use chat_model::ChatModel;
pub use completion::Completion;
pub use delta::{Delta, ToolCallPiece};
pub use error::ModelError;
#[cfg(feature = "openai")]
pub use open_ai::OpenAi;
pub use options::{DEFAULT_MAX_RETRIES, DEFAULT_MAX_STEPS, RunOptions};
pub use request::ModelRequest;
