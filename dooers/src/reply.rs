//! What a handler may return.

use crate::AgentError;
use crate::protocol::{Actor, ContentPart, EventType, Form};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

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

    /// A picture at this address.
    pub fn image(url: impl Into<String>) -> Self {
        Self::message(vec![ContentPart::image(url)])
    }

    /// A sound at this address.
    pub fn audio(url: impl Into<String>) -> Self {
        Self::message(vec![ContentPart::audio(url)])
    }

    /// A file of this name at this address.
    pub fn document(url: impl Into<String>, filename: impl Into<String>) -> Self {
        Self::message(vec![ContentPart::document(url, filename)])
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
        ReplyStream(replies.map(StreamedReply::into_result).boxed())
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

    fn data(self) -> Value {
        let display_name = self.display_name.unwrap_or_else(|| self.name.clone());
        json!({
            "id": self.id,
            "name": self.name,
            "display_name": display_name,
            "args": self.args,
        })
    }

    fn data_with(self, result: Value) -> Value {
        let mut data = self.data();
        data["result"] = result;
        data
    }
}

/// Replies that come one after the other. Made by [`Reply::stream`]; a unit test reads it as the `Stream` that it is.
pub struct ReplyStream(BoxStream<'static, Result<Reply, AgentError>>);

impl fmt::Debug for ReplyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyStream(..)")
    }
}

/// What a [`Reply::stream`] may consist of.
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` is no reply",
    note = "`Reply::stream` takes a stream of `Reply`, of text, or of `Result`s of these"
)]
pub trait StreamedReply {
    /// The reply, or why there is none.
    ///
    /// # Errors
    ///
    /// The error that the stream gave.
    fn into_result(self) -> Result<Reply, AgentError>;
}

impl StreamedReply for Reply {
    fn into_result(self) -> Result<Reply, AgentError> {
        Ok(self)
    }
}

impl StreamedReply for String {
    fn into_result(self) -> Result<Reply, AgentError> {
        Ok(Reply::text(self))
    }
}

impl StreamedReply for &'static str {
    fn into_result(self) -> Result<Reply, AgentError> {
        Ok(Reply::text(self))
    }
}

impl<T: StreamedReply, E: IntoAgentError> StreamedReply for Result<T, E> {
    fn into_result(self) -> Result<Reply, AgentError> {
        self.map_err(IntoAgentError::into_agent_error)?
            .into_result()
    }
}

/// What a handler's return value comes to: nothing, one event, or many.
#[derive(Debug, Default)]
pub struct Answer(AnswerKind);

#[derive(Debug, Default)]
pub(crate) enum AnswerKind {
    #[default]
    Nothing,
    One(Box<Reply>),
    Stream(ReplyStream),
}

impl Answer {
    pub(crate) fn into_kind(self) -> AnswerKind {
        self.0
    }
}

impl Stream for ReplyStream {
    type Item = Result<Reply, AgentError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

/// A type that a handler can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by an agent",
    label = "not a reply",
    note = "an agent returns `()`, `String`, `&'static str`, `Reply`, several of these by `Reply::stream`, or a `Result` of any of these"
)]
pub trait IntoReply {
    /// What is to be sent.
    ///
    /// # Errors
    ///
    /// The error that the handler returned.
    fn into_reply(self) -> Result<Answer, AgentError>;
}

impl IntoReply for () {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Ok(Answer(AnswerKind::Nothing))
    }
}

impl IntoReply for Reply {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Ok(Answer(AnswerKind::One(Box::new(self))))
    }
}

impl IntoReply for String {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Reply::text(self).into_reply()
    }
}

impl IntoReply for &'static str {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Reply::text(self).into_reply()
    }
}

impl IntoReply for ReplyStream {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Ok(Answer(AnswerKind::Stream(self)))
    }
}

impl<T: IntoReply, E: IntoAgentError> IntoReply for Result<T, E> {
    fn into_reply(self) -> Result<Answer, AgentError> {
        self.map_err(IntoAgentError::into_agent_error)?.into_reply()
    }
}

/// What converts into [`AgentError`]. It has a name of its own so that the compiler can say what is wrong with a
/// type that does not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an agent",
    label = "does not convert into `AgentError`",
    note = "`AgentError` is made from every type that implements `std::error::Error` and is `Send`, `Sync` and `'static`, and from text",
    note = "where this is `Box<dyn Error>`, write `Box<dyn Error + Send + Sync>`, or return `dooers::Result`"
)]
pub trait IntoAgentError {
    fn into_agent_error(self) -> AgentError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<AgentError>> IntoAgentError for E {
    fn into_agent_error(self) -> AgentError {
        self.into()
    }
}
