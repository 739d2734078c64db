//! The events of a thread.

use super::timestamp;
use super::{ContentPart, User, joined_text, whole_number};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The type of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventType {
    /// A message.
    #[serde(rename = "message")]
    Message,
    /// Reasoning of a model.
    #[serde(rename = "reasoning")]
    Reasoning,
    /// The start of a run.
    #[serde(rename = "run.started")]
    RunStarted,
    /// The end of a run.
    #[serde(rename = "run.finished")]
    RunFinished,
    /// A tool call.
    #[serde(rename = "tool.call")]
    ToolCall,
    /// The result of a tool call.
    #[serde(rename = "tool.result")]
    ToolResult,
    /// A tool call and its result in one event.
    #[serde(rename = "tool.transaction")]
    ToolTransaction,
    /// A form for the user.
    #[serde(rename = "form")]
    Form,
    /// The user's answers to a form.
    #[serde(rename = "form.response")]
    FormResponse,
    /// A chart.
    #[serde(rename = "chart")]
    Chart,
}

impl EventType {
    /// The name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Reasoning => "reasoning",
            Self::RunStarted => "run.started",
            Self::RunFinished => "run.finished",
            Self::ToolCall => "tool.call",
            Self::ToolResult => "tool.result",
            Self::ToolTransaction => "tool.transaction",
            Self::Form => "form",
            Self::FormResponse => "form.response",
            Self::Chart => "chart",
        }
    }
}

/// The actor that caused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// A user.
    User,
    /// The agent.
    Assistant,
    /// The server itself.
    System,
    /// A tool that the agent called.
    Tool,
}

impl Actor {
    /// The name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Tool => "tool",
        }
    }
}

/// One event of a thread, as it is on the wire.
///
/// The server creates events. A unit test can deserialize one from its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ThreadEvent {
    /// The unique id.
    pub id: String,
    /// The id of the thread.
    pub thread_id: String,
    /// The run that created the event. `None` for events of users.
    pub run_id: Option<String>,
    /// The type of the event.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The actor that caused the event.
    pub actor: Actor,
    /// The name to show. For an event of a user it is the `user_name` or else the `user_email`, as they were when the
    /// event was stored.
    pub author: Option<String>,
    /// The user, for events of users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// The content parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<ContentPart>>,
    /// The data that belongs to the type, such as the arguments of a tool or the elements of a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// The time at which the event was stored.
    #[serde(with = "timestamp")]
    pub created_at: DateTime<Utc>,
    /// True while the text is being streamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// True if the text was streamed and has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<bool>,
    /// While the text is being streamed: the number of the next piece, so that a client that joins in the middle does
    /// not miss a piece.
    #[serde(
        default,
        deserialize_with = "whole_number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub delta_seq: Option<u64>,
    /// True if the event was removed. Its position remains, but its content is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// The id that the client gave to the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_event_id: Option<String>,
    /// The position of the event in its thread, starting at 1.
    #[serde(deserialize_with = "whole_number::required")]
    pub seq: u64,
}

/// The agent's messages in these events as one text: the messages with text, separated by blank lines.
pub(crate) fn said_text(events: &[ThreadEvent]) -> String {
    let said = events.iter().filter(|event| event.is_said());
    let texts = said.map(ThreadEvent::text).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join("\n\n")
}

impl ThreadEvent {
    /// Returns true if the event was removed and only its position is left.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted == Some(true)
    }

    /// Returns true if the event is a message of the agent.
    pub(crate) fn is_said(&self) -> bool {
        self.kind == EventType::Message && self.actor == Actor::Assistant
    }

    /// The text parts, joined by line breaks.
    pub(crate) fn text(&self) -> String {
        joined_text(self.content.as_deref().unwrap_or_default())
    }

    /// The id of the form's event, if this event answers a form.
    pub(crate) fn answered_form(&self) -> Option<&str> {
        let data = self
            .data
            .as_ref()
            .filter(|_| self.kind == EventType::FormResponse);
        data?.get("form_event_id")?.as_str()
    }

    /// The rest of an event that is removed. It becomes an empty message, whatever its type was. Clients that do not
    /// know `deleted` can show an empty message, but not a form or a tool call without data.
    pub(crate) fn removed(self) -> Self {
        Self {
            kind: EventType::Message,
            content: Some(Vec::new()),
            data: None,
            deleted: Some(true),
            ..self
        }
    }

    /// Creates an event that has no thread and no content yet.
    pub(crate) fn of(id: String, kind: EventType, actor: Actor) -> Self {
        Self {
            id,
            thread_id: String::new(),
            run_id: None,
            kind,
            actor,
            author: None,
            user: None,
            content: None,
            data: None,
            created_at: timestamp::now(),
            streaming: None,
            finalized: None,
            delta_seq: None,
            client_event_id: None,
            deleted: None,
            seq: 0,
        }
    }
}
