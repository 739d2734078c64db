//! The return values of handlers and their conversion.

use super::event::Reply;
use super::stream::ReplyStream;
use super::text::TextReply;
use crate::AgentError;
use std::borrow::Cow;

/// A converted return value of a handler: nothing, one event, or several.
///
/// It is public because types of other crates can implement [`IntoReply`].
#[derive(Debug, Default)]
pub struct Answer(AnswerKind);

#[derive(Debug, Default)]
pub(crate) enum AnswerKind {
    #[default]
    Nothing,
    One(Box<Reply>),
    Several(Vec<Reply>),
    Text(TextReply),
    Stream(ReplyStream),
}

impl Answer {
    pub(crate) fn into_kind(self) -> AnswerKind {
        self.0
    }
}

/// A type that a handler can return. Your own types implement it by converting to one of the types that already do.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::Answer;
///
/// struct Price(u32);
///
/// impl IntoReply for Price {
///     fn into_reply(self) -> Result<Answer> {
///         format!("That is {} euros.", self.0).into_reply()
///     }
/// }
///
/// #[dooers::agent]
/// async fn shop() -> Price {
///     Price(7)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by an agent",
    label = "not a reply",
    note = "an agent returns `()`, `String`, `&'static str`, `Cow<'static, str>`, `Reply`, several replies as `Vec<Reply>` or with `Reply::stream`, a streamed text with `TextReply::stream`, or an `Option` or a `Result` of any of these",
    note = "the id that `response.text(..).await` and its siblings return is not a reply; the event is already sent, so discard the id and return nothing: `response.text(..).await?; Ok(())`"
)]
pub trait IntoReply {
    /// Converts the value to the events that are sent.
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

// The compiler lists at most eight types when it explains what an agent can return.
#[diagnostic::do_not_recommend]
impl IntoReply for Cow<'static, str> {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Reply::text(self).into_reply()
    }
}

/// All replies are sent in this order and stored in one transaction. An empty list sends nothing.
#[diagnostic::do_not_recommend]
impl IntoReply for Vec<Reply> {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Ok(Answer(AnswerKind::Several(self)))
    }
}

impl IntoReply for ReplyStream {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Ok(Answer(AnswerKind::Stream(self)))
    }
}

impl IntoReply for TextReply {
    fn into_reply(self) -> Result<Answer, AgentError> {
        Ok(Answer(AnswerKind::Text(self)))
    }
}

/// `None` sends nothing.
impl<T: IntoReply> IntoReply for Option<T> {
    fn into_reply(self) -> Result<Answer, AgentError> {
        self.map_or(Ok(Answer::default()), IntoReply::into_reply)
    }
}

impl<T: IntoReply, E: IntoAgentError> IntoReply for Result<T, E> {
    fn into_reply(self) -> Result<Answer, AgentError> {
        self.map_err(IntoAgentError::into_agent_error)?.into_reply()
    }
}

/// A type that converts into [`AgentError`]. It is a trait of its own so that the compiler can explain why a type does
/// not convert.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an agent",
    label = "does not convert into `AgentError`",
    note = "a string converts into `AgentError`, and so does any type that implements `std::error::Error`, `Send`, `Sync` and `'static`",
    note = "instead of `Box<dyn Error>`, write `Box<dyn Error + Send + Sync>`, or return `dooers::Result`"
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
