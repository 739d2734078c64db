//! Messages in a form that does not depend on an API.

use super::media::described;
use super::tools::{function_name, json_text, object_of};
use crate::protocol::ContentPart;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// The role of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChatRole {
    /// A user.
    User,
    /// The agent.
    Assistant,
}

/// A message or tool calls, in a form that does not depend on an API.
///
/// Every [`HistoryFormat`](crate::HistoryFormat) is written from these messages.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChatMessage {
    /// The id of the event that this message was made from. If there are several, it is the first one.
    pub event_id: String,
    /// The run that wrote the message. `None` for messages of users.
    pub run_id: Option<String>,
    /// The time at which the event was stored.
    pub created_at: DateTime<Utc>,
    /// The role of the author.
    pub role: ChatRole,
    /// The name of the user, or the name that the assistant uses. Models see it, so it is never an email address: the
    /// name of a user is the `user_name`. `None` if the name is blank or contains an email address.
    pub author: Option<String>,
    /// The id of the user, for messages of users.
    pub user_id: Option<String>,
    /// The content of the message. Forms, form answers and charts are texts in brackets.
    pub parts: Vec<ContentPart>,
    /// The tools that the assistant calls after this content, in parallel.
    pub tool_uses: Vec<ToolUse>,
}

/// A tool call and its result.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ToolUse {
    /// The id of the event of the call, or of the result if the call is missing.
    pub event_id: String,
    /// The id of the call, unique in the history. It is the id that the handler gave if that id is unique and consists
    /// of 1 to 40 of the characters `a-z A-Z 0-9 _ -`, which every API accepts. Otherwise it is the id of the event.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments of the call.
    pub args: Value,
    /// The result of the call. `None` if it is missing.
    pub result: Option<Value>,
    /// The id of the event of the result.
    pub result_event_id: Option<String>,
}

/// The text in place of a missing result. Most APIs require a result.
const NO_RESULT: &str = "[no result in this history]";

impl ChatMessage {
    /// The content as one text. Parts that are not text are described in brackets. Each part is on a line of its own.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<_> = self.parts.iter().filter_map(described).collect();
        texts.join("\n")
    }
}

impl ToolUse {
    /// The arguments as an object, which most APIs require. A string that contains a JSON object is parsed. Any other
    /// value becomes the member `value` of a new object.
    #[must_use]
    pub fn arguments(&self) -> Map<String, Value> {
        object_of(&self.args, "value")
    }

    /// The result as a text. A string is returned unchanged, any other value as JSON.
    #[must_use]
    pub fn result_text(&self) -> String {
        match &self.result {
            Some(result) => json_text(result),
            None => NO_RESULT.to_owned(),
        }
    }

    /// The name as APIs accept it: at most 64 of the characters `a-z A-Z 0-9 _ -`, with `_` in place of any other.
    #[must_use]
    pub fn function_name(&self) -> String {
        function_name(&self.name)
    }
}
