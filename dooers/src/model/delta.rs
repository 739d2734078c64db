//! The pieces of a model's answer.

use crate::protocol::Usage;

/// A piece of a model's answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Delta {
    /// The next piece of the text.
    Text(String),
    /// The next piece of the model's reasoning.
    Reasoning(String),
    /// A piece of a tool call.
    ToolCall(ToolCallPiece),
    /// The usage of this request so far. A later one replaces an earlier one.
    Usage(Usage),
}

/// A piece of a tool call. The pieces with one index make up one call.
///
/// Names and arguments are joined in the order in which they arrive. The id may arrive with any piece. A call without
/// an id gets a new one. A piece may repeat the name. A piece with another id *and* a name begins the next
/// call, even if it has the same index, because some servers count wrongly.
///
/// ```
/// use dooers::model::{Delta, ToolCallPiece};
///
/// let pieces = [
///     ToolCallPiece::new(0).id("call_1").name("weather"),
///     ToolCallPiece::new(0).arguments("{\"city\":"),
///     ToolCallPiece::new(0).arguments("\"Paris\"}"),
/// ];
/// let deltas = pieces.map(Delta::ToolCall);
/// # drop(deltas);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCallPiece {
    /// The place of the call among the calls of the answer.
    pub index: usize,
    /// The id of the call.
    pub id: Option<String>,
    /// The name of the tool, or its next piece.
    pub name: Option<String>,
    /// The next piece of the arguments, which are JSON as text. May be empty.
    pub arguments: String,
}

impl ToolCallPiece {
    /// Creates a piece of the call with this index, without anything in it.
    #[must_use]
    pub fn new(index: usize) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }

    /// Sets the id of the call.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the name of the tool, or its next piece.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the next piece of the arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl Into<String>) -> Self {
        self.arguments = arguments.into();
        self
    }
}
