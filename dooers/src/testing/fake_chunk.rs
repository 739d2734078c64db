//! The pieces and errors of a fake model.

use crate::ToolCall;
#[cfg(feature = "tools")]
use crate::model::ToolCallPiece;
use crate::protocol::Usage;
use serde_json::Value;
use std::time::Duration;

/// A piece of a model's answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FakeChunk {
    /// The next piece of the text.
    Text(String),
    /// The next piece of the reasoning.
    Reasoning(String),
    /// A tool call.
    ToolCall(ToolCall),
    /// A piece of a tool call, which only [`FakeReply::tool_call_piece`](super::FakeReply::tool_call_piece) makes.
    #[cfg(feature = "tools")]
    ToolCallPiece(ToolCallPiece),
    /// The usage of the answer.
    Usage(Usage),
}

/// The error of a fake model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FakeModelError {
    /// The test wrote this error.
    #[error("{0}")]
    Scripted(String),
    /// The test wrote this error, which may not occur again.
    #[error("{text}")]
    Retryable {
        /// The text.
        text: String,
        /// How long the model asks not to be asked again.
        retry_after: Option<Duration>,
    },
    /// The model was asked more often than the test wrote answers.
    #[error(
        "the fake model was asked more often than the test wrote answers ({answers}): add one with `.reply(\"…\")`. \
         The last prompt: {prompt}"
    )]
    ScriptIsOver {
        /// The number of answers that the test wrote.
        answers: usize,
        /// The last prompt.
        prompt: Value,
    },
    /// The caller asked only for text, but the test wrote a tool call.
    #[error(
        "the fake model calls the tool `{0}`, but the caller asked only for text: read `model.chunks(…)` instead of \
         `model.stream(…)`"
    )]
    ToolCall(String),
    /// The prompt cannot be serialized as JSON.
    #[error("the prompt cannot be serialized as JSON: {0}")]
    Prompt(String),
}
