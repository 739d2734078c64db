//! Models, and the loop that lets them call tools.
//!
//! [`Tools::run`](crate::Tools::run) is the loop. It works with every [`ChatModel`]:
//!
//! * [`FakeModel`](crate::testing::FakeModel) (feature `testing`), whose answers a test writes;
//! * your own implementation, for other providers.

mod answer;
mod assemble;
mod chat_model;
mod completion;
mod delta;
mod error;
mod options;
mod request;
mod run;

pub use chat_model::ChatModel;
pub use completion::Completion;
pub use delta::{Delta, ToolCallPiece};
pub use error::ModelError;
pub use options::{DEFAULT_MAX_RETRIES, DEFAULT_MAX_STEPS, RunOptions};
pub use request::ModelRequest;
