//! The answers of a fake model.

use crate::ToolCall;
use serde_json::Value;
use std::time::Duration;

/// One answer of a [`FakeModel`](super::FakeModel), piece by piece. A string converts to an answer that is returned
/// word by word.
///
/// ```
/// use dooers::testing::{FakeModel, FakeReply};
/// use std::time::Duration;
///
/// let slow = FakeReply::new().delay(Duration::from_secs(5)).text("Let me think");
/// let broken = FakeReply::new().text("It all began when").error("the connection broke");
/// let model = FakeModel::new().reply(slow).reply(broken);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "give it to `FakeModel::reply`"]
pub struct FakeReply {
    pub(super) steps: Vec<ScriptStep>,
    pub(super) delay: Duration,
}

/// A step of an answer.
#[derive(Debug, Clone)]
pub(super) enum ScriptStep {
    Text(String),
    ToolCall(ToolCall),
    Error(String),
}

impl FakeReply {
    /// Creates an empty answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text, which is returned word by word.
    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.pieces(text.as_ref().split_inclusive(' '))
    }

    /// Adds pieces of text.
    pub fn pieces<T: Into<String>>(mut self, pieces: impl IntoIterator<Item = T>) -> Self {
        let pieces = pieces.into_iter();
        self.steps
            .extend(pieces.map(|piece| ScriptStep::Text(piece.into())));
        self
    }

    /// Adds a tool call.
    pub fn tool_call(
        mut self,
        id: impl Into<String>,
        name: impl Into<String>,
        args: impl Into<Value>,
    ) -> Self {
        let call = ToolCall::new(id, name, args);
        self.steps.push(ScriptStep::ToolCall(call));
        self
    }

    /// Adds an error, which ends the answer.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.steps.push(ScriptStep::Error(text.into()));
        self
    }

    /// Sets the delay before each piece, measured by tokio's clock, which a test may pause.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl From<&str> for FakeReply {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

impl From<String> for FakeReply {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}
