//! `Reply`, one event of an answer.

use super::stream::{ReplyStream, StreamedReply};
use crate::protocol::{
    Actor, AudioPart, ContentPart, DocumentPart, EventType, Form, ImagePart, ThreadEvent, cleaned,
    new_id,
};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

/// One event of an answer, such as a text, an image or a tool call.
///
/// A handler returns a reply, returns a stream of replies ([`Reply::stream`]), or sends replies with
/// [`WorkerResponse::send`](crate::WorkerResponse::send).
///
/// ```
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn oracle() -> Reply {
///     Reply::text("Perhaps.").author("Pythia")
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub(crate) kind: EventType,
    pub(crate) actor: Actor,
    pub(crate) author: Option<String>,
    pub(crate) content: Option<Vec<ContentPart>>,
    pub(crate) data: Option<Value>,
}

impl Reply {
    /// Creates a text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self::message(vec![ContentPart::text(text)])
    }

    /// Creates an image from a URL. Setters add a description, a MIME type and other details. The part can be returned
    /// or sent directly, and `into()` converts it to a `Reply`.
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

    /// Creates a sound from a URL. Setters add a MIME type, a duration and other details. The part can be returned or
    /// sent directly, and `into()` converts it to a `Reply`.
    pub fn audio(url: impl Into<String>) -> AudioPart {
        ContentPart::audio(url)
    }

    /// Creates a file from a URL and a name. Setters add a MIME type and a size. The part can be returned or sent
    /// directly, and `into()` converts it to a `Reply`.
    pub fn document(url: impl Into<String>, filename: impl Into<String>) -> DocumentPart {
        ContentPart::document(url, filename)
    }

    /// Creates a message with these parts.
    #[must_use]
    pub fn message(content: Vec<ContentPart>) -> Self {
        Self::of(EventType::Message, Actor::Assistant, Some(content), None)
    }

    /// Creates an event with reasoning of the model.
    pub fn reasoning(text: impl Into<String>) -> Self {
        let content = vec![ContentPart::text(text)];
        Self::of(EventType::Reasoning, Actor::Assistant, Some(content), None)
    }

    /// Creates a tool call. Its result must have the same `id`.
    pub fn tool_call(call: ToolCall) -> Self {
        Self::of(
            EventType::ToolCall,
            Actor::Assistant,
            None,
            Some(call.data()),
        )
    }

    /// Creates the result of a tool call.
    pub fn tool_result(call: ToolCall, result: impl Into<Value>) -> Self {
        let data = call.data_with(result.into());
        Self::of(EventType::ToolResult, Actor::Tool, None, Some(data))
    }

    /// Creates an event with a tool call and its result.
    pub fn tool_transaction(call: ToolCall, result: impl Into<Value>) -> Self {
        let data = call.data_with(result.into());
        Self::of(
            EventType::ToolTransaction,
            Actor::Assistant,
            None,
            Some(data),
        )
    }

    /// Creates a form for the user. The answers arrive as another message, whose
    /// [`WorkerRequest::form`](crate::WorkerRequest::form) returns them.
    ///
    /// A form with a password field requires a server with `WORKER_SECRET_KEY`. Without a key, the form is refused
    /// when it is sent.
    #[must_use]
    pub fn form(form: &Form) -> Self {
        let data = serde_json::to_value(form).unwrap_or_default();
        Self::of(EventType::Form, Actor::Assistant, None, Some(data))
    }

    /// Creates an answer of several events, which are sent as they arrive.
    ///
    /// The items are replies, or `Result`s of replies. The first error ends the turn.
    pub fn stream<S>(replies: S) -> ReplyStream
    where
        S: Stream + Send + 'static,
        S::Item: StreamedReply,
    {
        ReplyStream::of(replies.map(StreamedReply::into_result).boxed())
    }

    /// Sets the author's name. The default is the assistant's name.
    #[must_use]
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// The text of the text parts, joined by line breaks.
    #[must_use]
    pub fn as_text(&self) -> String {
        crate::protocol::joined_text(self.content.as_deref().unwrap_or_default())
    }

    /// The type of the event.
    #[must_use]
    pub fn kind(&self) -> EventType {
        self.kind
    }

    /// The content parts. Tool calls and forms have none.
    #[must_use]
    pub fn content(&self) -> &[ContentPart] {
        self.content.as_deref().unwrap_or_default()
    }

    /// The data that belongs to the type of event, such as the arguments of a tool or the elements of a form.
    #[must_use]
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// Converts to an event. The author of an assistant's event is the assistant's name, unless the reply names
    /// another author.
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
            // The assistant's name comes from the configuration and has not been cleaned yet.
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

/// Converts the reply to an event for [`WorkerMemory::of`](crate::WorkerMemory::of) in unit tests.
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

/// A call of a tool with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    id: String,
    name: String,
    display_name: Option<String>,
    args: Value,
}

impl ToolCall {
    /// Creates a call of this tool. The id pairs the call with its result.
    pub fn new(id: impl Into<String>, name: impl Into<String>, args: impl Into<Value>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            display_name: None,
            args: args.into(),
        }
    }

    /// Sets the display name of the tool.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// The id that pairs the call with its result.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the tool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The arguments of the call.
    #[must_use]
    pub fn args(&self) -> &Value {
        &self.args
    }

    fn data(self) -> Value {
        let display_name = self.display_name.unwrap_or_else(|| self.name.clone());
        let mut data = json!({"id": self.id, "name": self.name, "display_name": display_name});
        // The arguments are moved, because copying deeply nested JSON may overflow the stack.
        data["args"] = self.args;
        data
    }

    fn data_with(self, result: Value) -> Value {
        let mut data = self.data();
        data["result"] = result;
        data
    }
}
