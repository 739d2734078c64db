//! The answers of a fake provider.

use serde_json::Value;

/// The number of characters in a piece of a tool call's arguments.
const PIECE: usize = 3;

/// One answer of a [`FakeProvider`](super::FakeProvider), which arrives piece by piece.
#[derive(Debug, Clone)]
#[must_use = "a rule returns it"]
pub struct ProviderReply {
    pub(super) pieces: Vec<ReplyPiece>,
    pub(super) ending: ReplyEnding,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
    /// Seconds in the header `Retry-After` of a refusal.
    pub(super) retry_after: Option<u64>,
}

/// A piece of an answer.
#[derive(Debug, Clone)]
pub(super) enum ReplyPiece {
    Reasoning(String),
    Text(String),
    /// The start of a tool call. Without an id, the provider makes one.
    Call {
        id: Option<String>,
        name: String,
    },
    /// More of the arguments of the last call.
    Arguments(String),
}

/// The end of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReplyEnding {
    /// As the API documents it, with the usage.
    Complete,
    /// An error event within the stream.
    Error(String),
    /// The body ends in the middle of the answer.
    Early,
    /// The connection breaks.
    Broken,
    /// Nothing follows until the client closes the connection.
    Hanging,
    /// An error status instead of a stream.
    Refused(u16),
}

impl Default for ProviderReply {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            ending: ReplyEnding::Complete,
            input_tokens: 100,
            output_tokens: 10,
            retry_after: None,
        }
    }
}

impl ProviderReply {
    /// An empty answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An error status with the body that the API sends with it.
    pub fn refused(status: u16) -> Self {
        Self::default().ending(ReplyEnding::Refused(status))
    }

    /// Sets the header `Retry-After` of a refusal, in seconds.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds a text, which arrives word by word.
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        let words = text.as_ref().split_inclusive(' ');
        self.pieces
            .extend(words.map(|word| ReplyPiece::Text(word.to_owned())));
        self
    }

    /// Adds reasoning, which arrives word by word. Chat Completions has no reasoning; it is sent as `reasoning_content`,
    /// as compatible servers do.
    pub fn reasoning(mut self, text: impl AsRef<str>) -> Self {
        let words = text.as_ref().split_inclusive(' ');
        self.pieces
            .extend(words.map(|word| ReplyPiece::Reasoning(word.to_owned())));
        self
    }

    /// Adds a tool call, whose arguments arrive in pieces. The provider makes its id.
    pub fn tool_call(self, name: &str, arguments: impl Into<Value>) -> Self {
        self.raw_call(None, name, &arguments.into().to_string())
    }

    /// Adds a tool call with this id and any text as arguments, which may be no JSON.
    pub fn raw_call(mut self, id: Option<&str>, name: &str, arguments: &str) -> Self {
        self.pieces.push(ReplyPiece::Call {
            id: id.map(str::to_owned),
            name: name.to_owned(),
        });
        let characters: Vec<char> = arguments.chars().collect();
        let pieces = characters.chunks(PIECE);
        self.pieces
            .extend(pieces.map(|piece| ReplyPiece::Arguments(piece.iter().collect())));
        self
    }

    /// Sets the reported numbers of tokens.
    pub fn usage(mut self, input_tokens: u64, output_tokens: u64) -> Self {
        self.input_tokens = input_tokens;
        self.output_tokens = output_tokens;
        self
    }

    /// Ends the answer with an error event.
    pub fn error(self, message: &str) -> Self {
        self.ending(ReplyEnding::Error(message.to_owned()))
    }

    /// Ends the body of the response in the middle of the answer.
    pub fn end_early(self) -> Self {
        self.ending(ReplyEnding::Early)
    }

    /// Breaks the connection in the middle of the answer.
    pub fn break_off(self) -> Self {
        self.ending(ReplyEnding::Broken)
    }

    /// Sends nothing after the pieces until the client closes the connection. [`FakeProvider::hung_up`] waits for that.
    ///
    /// [`FakeProvider::hung_up`]: super::FakeProvider::hung_up
    pub fn hang(self) -> Self {
        self.ending(ReplyEnding::Hanging)
    }

    /// Returns true if the answer calls a tool.
    pub(super) fn has_calls(&self) -> bool {
        let is_call = |piece: &ReplyPiece| matches!(piece, ReplyPiece::Call { .. });
        self.pieces.iter().any(is_call)
    }

    fn ending(mut self, ending: ReplyEnding) -> Self {
        self.ending = ending;
        self
    }
}
