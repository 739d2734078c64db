//! What a fake model says when it is asked.

use crate::ToolCall;
use serde_json::Value;
use std::time::Duration;

/// One answer of a [`FakeModel`](super::FakeModel), piece by piece. A text is an answer that comes word by word.
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
    pub(super) steps: Vec<Step>,
    pub(super) delay: Duration,
}

/// What comes next of an answer.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Text(String),
    ToolCall(ToolCall),
    Error(String),
}

impl FakeReply {
    /// An answer of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Then comes this text, word by word.
    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.pieces(text.as_ref().split_inclusive(' '))
    }

    /// Then come these pieces of text.
    pub fn pieces<T: Into<String>>(mut self, pieces: impl IntoIterator<Item = T>) -> Self {
        let pieces = pieces.into_iter();
        self.steps
            .extend(pieces.map(|piece| Step::Text(piece.into())));
        self
    }

    /// Then the model wants a tool to be called.
    pub fn tool_call(
        mut self,
        id: impl Into<String>,
        name: impl Into<String>,
        args: impl Into<Value>,
    ) -> Self {
        let call = ToolCall::new(id, name, args);
        self.steps.push(Step::ToolCall(call));
        self
    }

    /// Then the model fails, and nothing more comes.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.steps.push(Step::Error(text.into()));
        self
    }

    /// Before each piece the model takes so long, by tokio's clock, which a test may pause.
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
