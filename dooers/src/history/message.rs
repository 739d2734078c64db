//! What was said, in a form that is no API's.

use super::media::described;
use super::tools::{function_name, json_text, object_of};
use crate::protocol::ContentPart;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChatRole {
    /// Somebody at a client.
    User,
    /// The agent.
    Assistant,
}

/// Something that was said, or tools that were used, in a form that is no API's.
///
/// Every [`HistoryFormat`](crate::HistoryFormat) is made of these.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatMessage {
    /// The first of the events that it was made of.
    pub event_id: String,
    /// The run that made it; none for what users say.
    pub run_id: Option<String>,
    /// When that event was stored.
    pub created_at: DateTime<Utc>,
    /// Who says it.
    pub role: ChatRole,
    /// The name of the user, or the one under which the assistant speaks. It goes to models, so it is never a mail
    /// address: of a user it is the `user_name`. None if that is blank, and none for a name with a mail address in it.
    pub author: Option<String>,
    /// Which user says it.
    pub user_id: Option<String>,
    /// What is said. Forms, their answers and charts are texts in brackets.
    pub parts: Vec<ContentPart>,
    /// The tools that the assistant uses, side by side, after having said it.
    pub tool_uses: Vec<ToolUse>,
}

/// One use of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolUse {
    /// The event of the call, or of the result if the call is not there.
    pub event_id: String,
    /// The id of the call, which is unique in the history. It is the id that the handler gave if that is unique and has
    /// 1 to 40 of the characters `a-z A-Z 0-9 _ -`, which every API takes. Otherwise it is the id of the event.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What the tool was called with.
    pub args: Value,
    /// What came of it; none if that is not there.
    pub result: Option<Value>,
    /// The event of the result.
    pub result_event_id: Option<String>,
}

/// What stands for a result that is not there, since most APIs demand one.
const NO_RESULT: &str = "[no result in this history]";

impl ChatMessage {
    /// What is said as one text. Parts that are no text are described in brackets, each on a line of its own.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<_> = self.parts.iter().filter_map(described).collect();
        texts.join("\n")
    }
}

impl ToolUse {
    /// The arguments as an object, which most APIs demand: a text that holds one is read, and anything else becomes its
    /// member `value`.
    #[must_use]
    pub fn arguments(&self) -> Map<String, Value> {
        object_of(&self.args, "value")
    }

    /// The result as a text: a text as it is, anything else as JSON.
    #[must_use]
    pub fn result_text(&self) -> String {
        match &self.result {
            Some(result) => json_text(result),
            None => NO_RESULT.to_owned(),
        }
    }

    /// The name as APIs take it: at most 64 of `a-z A-Z 0-9 _ -`, with `_` in place of anything else.
    #[must_use]
    pub fn function_name(&self) -> String {
        function_name(&self.name)
    }
}
