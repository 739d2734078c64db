//! The answers of a fake model.

use super::fake_chunk::FakeModelError;
use crate::ToolCall;
#[cfg(feature = "tools")]
use crate::model::ToolCallPiece;
use crate::protocol::Usage;
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
    Reasoning(String),
    ToolCall(ToolCall),
    #[cfg(feature = "tools")]
    ToolCallPiece(ToolCallPiece),
    Usage(Usage),
    Pause(Duration),
    Error(FakeModelError),
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

    /// Adds reasoning, which is returned word by word.
    pub fn reasoning(mut self, text: impl AsRef<str>) -> Self {
        let words = text.as_ref().split_inclusive(' ');
        self.steps
            .extend(words.map(|word| ScriptStep::Reasoning(word.to_owned())));
        self
    }

    /// Adds a tool call. As a [`ChatModel`](crate::model::ChatModel), the model returns it in pieces.
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

    /// Adds a piece of a tool call exactly as it is, for calls that are malformed or break off. Only a
    /// [`ChatModel`](crate::model::ChatModel) returns it.
    ///
    /// ```
    /// use dooers::model::ToolCallPiece;
    /// use dooers::testing::FakeReply;
    ///
    /// let cut_off = ToolCallPiece::new(0).id("1").name("weather").arguments("{\"city\": \"Par");
    /// let reply = FakeReply::new().tool_call_piece(cut_off);
    /// # drop(reply);
    /// ```
    #[cfg(feature = "tools")]
    pub fn tool_call_piece(mut self, piece: ToolCallPiece) -> Self {
        self.steps.push(ScriptStep::ToolCallPiece(piece));
        self
    }

    /// Adds the usage of the answer.
    pub fn usage(mut self, usage: Usage) -> Self {
        self.steps.push(ScriptStep::Usage(usage));
        self
    }

    /// Adds a pause, measured by tokio's clock, which a test may pause.
    pub fn pause(mut self, duration: Duration) -> Self {
        self.steps.push(ScriptStep::Pause(duration));
        self
    }

    /// Adds an error, which ends the answer.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        let error = FakeModelError::Scripted(text.into());
        self.steps.push(ScriptStep::Error(error));
        self
    }

    /// Adds a temporary error, which ends the answer, such as a broken connection or a rate limit. A busy model may say
    /// how long to wait before the next request.
    pub fn retryable_error(
        mut self,
        text: impl Into<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        let error = FakeModelError::Retryable {
            text: text.into(),
            retry_after,
        };
        self.steps.push(ScriptStep::Error(error));
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
