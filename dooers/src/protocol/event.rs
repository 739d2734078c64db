//! What happened in a thread.

use super::frame::timestamp;
use super::{ContentPart, User, joined_text, whole};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of thing an event records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventType {
    /// Something said.
    #[serde(rename = "message")]
    Message,
    /// What a model thought on its way to an answer.
    #[serde(rename = "reasoning")]
    Reasoning,
    /// A run began.
    #[serde(rename = "run.started")]
    RunStarted,
    /// A run ended.
    #[serde(rename = "run.finished")]
    RunFinished,
    /// The agent calls a tool.
    #[serde(rename = "tool.call")]
    ToolCall,
    /// What the tool answered.
    #[serde(rename = "tool.result")]
    ToolResult,
    /// A call and its answer in one.
    #[serde(rename = "tool.transaction")]
    ToolTransaction,
    /// Questions to the user.
    #[serde(rename = "form")]
    Form,
    /// The user's answers.
    #[serde(rename = "form.response")]
    FormResponse,
    /// A diagram.
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

/// Who caused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// The person at the client.
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

/// One event of a thread, as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadEvent {
    /// Unique id.
    pub id: String,
    /// The thread it belongs to.
    pub thread_id: String,
    /// The run that made it; none for what a user sends.
    pub run_id: Option<String>,
    /// What kind of thing it records.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Who caused it.
    pub actor: Actor,
    /// The name to show. Of a user's event it is the `user_name`, else the `user_email`, as they were when it was stored.
    pub author: Option<String>,
    /// The person, on events of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// What was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<ContentPart>>,
    /// What belongs to the kind: a tool's arguments, a form's elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// When it was stored.
    #[serde(with = "timestamp")]
    pub created_at: DateTime<Utc>,
    /// True while its text still grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// True once its text grows no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<bool>,
    /// While its text grows: the number of the next piece of it, so that who joins in the middle misses none.
    #[serde(
        default,
        deserialize_with = "whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub delta_seq: Option<u64>,
    /// True once it was removed: its place stays, what it said is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// The id that the sending client gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_event_id: Option<String>,
    /// Its place among the events of its thread: 1, 2, 3 …
    #[serde(deserialize_with = "whole::required")]
    pub seq: u64,
}

/// What the agent said in these events as one text: its messages that have text, a blank line between them.
pub(crate) fn said_text(events: &[ThreadEvent]) -> String {
    let said = events.iter().filter(|event| event.is_said());
    let texts = said.map(ThreadEvent::text).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join("\n\n")
}

impl ThreadEvent {
    /// Whether it was removed, and only its place is left.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted == Some(true)
    }

    /// Whether it is something that the agent said.
    pub(crate) fn is_said(&self) -> bool {
        self.kind == EventType::Message && self.actor == Actor::Assistant
    }

    /// Its text parts, joined by line breaks.
    pub(crate) fn text(&self) -> String {
        joined_text(self.content.as_deref().unwrap_or_default())
    }

    /// The event of the form that it answers, if it is an answer.
    pub(crate) fn answered_form(&self) -> Option<&str> {
        let data = self
            .data
            .as_ref()
            .filter(|_| self.kind == EventType::FormResponse);
        data?.get("form_event_id")?.as_str()
    }

    /// What is left of it when it is removed. It becomes an empty message, whatever it was: a client that does not know
    /// `deleted` shows that, where a form or a call of a tool without its data would not be understood.
    pub(crate) fn removed(self) -> Self {
        Self {
            kind: EventType::Message,
            content: Some(Vec::new()),
            data: None,
            deleted: Some(true),
            ..self
        }
    }

    /// An event that is in no thread yet and says nothing.
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
