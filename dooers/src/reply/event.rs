//! One event of an answer.

use super::stream::{ReplyStream, StreamedReply};
use crate::protocol::{
    Actor, AudioPart, ContentPart, DocumentPart, EventType, Form, ImagePart, ThreadEvent, cleaned,
    new_id,
};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

/// One event of an answer: a text, a picture, a tool call …
///
/// A handler returns one, returns a stream of them ([`Reply::stream`]), or sends them itself with
/// [`WorkerResponse::send`](crate::WorkerResponse::send).
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub(crate) kind: EventType,
    pub(crate) actor: Actor,
    pub(crate) author: Option<String>,
    pub(crate) content: Option<Vec<ContentPart>>,
    pub(crate) data: Option<Value>,
}

impl Reply {
    /// A message of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::message(vec![ContentPart::text(text)])
    }

    /// A picture at this address. Its setters add a description, a MIME type and so on; it can be returned and sent as
    /// it is, and `into()` makes a `Reply` of it.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn cat(request: WorkerRequest) -> Reply {
    ///     match request.message.as_str() {
    ///         "cat" => Reply::image("https://example.org/cat.png").alt("A cat").into(),
    ///         _ => Reply::text("Ask for a cat."),
    ///     }
    /// }
    /// ```
    pub fn image(url: impl Into<String>) -> ImagePart {
        ContentPart::image(url)
    }

    /// A sound at this address. Its setters add a MIME type, a duration and so on; it can be returned and sent as it
    /// is, and `into()` makes a `Reply` of it.
    pub fn audio(url: impl Into<String>) -> AudioPart {
        ContentPart::audio(url)
    }

    /// A file of this name at this address. Its setters add a MIME type and a size; it can be returned and sent as it
    /// is, and `into()` makes a `Reply` of it.
    pub fn document(url: impl Into<String>, filename: impl Into<String>) -> DocumentPart {
        ContentPart::document(url, filename)
    }

    /// A message of any parts.
    #[must_use]
    pub fn message(content: Vec<ContentPart>) -> Self {
        Self::of(EventType::Message, Actor::Assistant, Some(content), None)
    }

    /// What the model thought on its way to the answer.
    pub fn reasoning(text: impl Into<String>) -> Self {
        let content = vec![ContentPart::text(text)];
        Self::of(EventType::Reasoning, Actor::Assistant, Some(content), None)
    }

    /// A call of a tool. Its result names the same `id`.
    pub fn tool_call(call: ToolCall) -> Self {
        Self::of(
            EventType::ToolCall,
            Actor::Assistant,
            None,
            Some(call.data()),
        )
    }

    /// The result of a call.
    pub fn tool_result(call: ToolCall, result: impl Into<Value>) -> Self {
        let data = call.data_with(result.into());
        Self::of(EventType::ToolResult, Actor::Tool, None, Some(data))
    }

    /// A call and its result in one event.
    pub fn tool_transaction(call: ToolCall, result: impl Into<Value>) -> Self {
        let data = call.data_with(result.into());
        Self::of(
            EventType::ToolTransaction,
            Actor::Assistant,
            None,
            Some(data),
        )
    }

    /// Questions to the user. The answers come as a message of their own, which
    /// [`WorkerRequest::form`](crate::WorkerRequest::form) reads.
    ///
    /// A form with a password field needs a server with `WORKER_SECRET_KEY`; without a key it is refused when it is sent.
    #[must_use]
    pub fn form(form: &Form) -> Self {
        let data = serde_json::to_value(form).unwrap_or_default();
        Self::of(EventType::Form, Actor::Assistant, None, Some(data))
    }

    /// An answer that comes event by event.
    ///
    /// Its items are replies, or `Result`s of them; the first error ends the turn.
    pub fn stream<S>(replies: S) -> ReplyStream
    where
        S: Stream + Send + 'static,
        S::Item: StreamedReply,
    {
        ReplyStream::of(replies.map(StreamedReply::into_result).boxed())
    }

    /// The same event under another name than the assistant's.
    #[must_use]
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// The text of its text parts, joined by line breaks.
    #[must_use]
    pub fn as_text(&self) -> String {
        crate::protocol::joined_text(self.content.as_deref().unwrap_or_default())
    }

    /// What kind of event it is.
    #[must_use]
    pub fn kind(&self) -> EventType {
        self.kind
    }

    /// Its parts; none for tool calls and forms.
    #[must_use]
    pub fn content(&self) -> &[ContentPart] {
        self.content.as_deref().unwrap_or_default()
    }

    /// What belongs to its kind: a tool's arguments, a form's elements.
    #[must_use]
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// The event that it becomes. What the assistant says carries its name, unless the reply names another one.
    pub(crate) fn into_event(
        self,
        id: String,
        thread_id: &str,
        assistant_name: &str,
        at: DateTime<Utc>,
    ) -> ThreadEvent {
        let author = match self.actor {
            Actor::Assistant => self.author.or_else(|| Some(assistant_name.to_owned())),
            Actor::User | Actor::System | Actor::Tool => self.author,
        };
        ThreadEvent {
            thread_id: thread_id.to_owned(),
            // The assistant's name is the configuration's.
            author: author.map(cleaned),
            content: self.content,
            data: self.data,
            created_at: at,
            ..ThreadEvent::of(id, self.kind, self.actor)
        }
    }

    fn of(
        kind: EventType,
        actor: Actor,
        content: Option<Vec<ContentPart>>,
        data: Option<Value>,
    ) -> Self {
        Self {
            kind,
            actor,
            author: None,
            content,
            data,
        }
    }
}

/// The event that the reply becomes, as a unit test needs it: to be remembered by
/// [`WorkerMemory::of`](crate::WorkerMemory::of).
impl From<Reply> for ThreadEvent {
    fn from(reply: Reply) -> Self {
        Self {
            author: reply.author,
            content: reply.content,
            data: reply.data,
            ..Self::of(new_id(), reply.kind, reply.actor)
        }
    }
}

/// A tool and the arguments it is called with.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    id: String,
    name: String,
    display_name: Option<String>,
    args: Value,
}

impl ToolCall {
    /// A call of this tool. The id pairs it with its result.
    pub fn new(id: impl Into<String>, name: impl Into<String>, args: impl Into<Value>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            display_name: None,
            args: args.into(),
        }
    }

    /// The tool's name for people.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// The id that pairs it with its result.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The tool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the tool is called with.
    #[must_use]
    pub fn args(&self) -> &Value {
        &self.args
    }

    fn data(self) -> Value {
        let display_name = self.display_name.unwrap_or_else(|| self.name.clone());
        let mut data = json!({"id": self.id, "name": self.name, "display_name": display_name});
        // Moved, since a copy of JSON of any depth may overflow the stack.
        data["args"] = self.args;
        data
    }

    fn data_with(self, result: Value) -> Value {
        let mut data = self.data();
        data["result"] = result;
        data
    }
}
