//! An answer of several events.

use super::answer::IntoAgentError;
use super::event::Reply;
use crate::AgentError;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A stream of replies, created by [`Reply::stream`]. It implements `Stream`, so that unit tests can read it.
pub struct ReplyStream(BoxStream<'static, Result<Reply, AgentError>>);

impl ReplyStream {
    pub(super) fn of(replies: BoxStream<'static, Result<Reply, AgentError>>) -> Self {
        Self(replies)
    }
}

impl fmt::Debug for ReplyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyStream(..)")
    }
}

impl Stream for ReplyStream {
    type Item = Result<Reply, AgentError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

/// A type that can be an item of a [`Reply::stream`].
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` is not a reply",
    note = "`Reply::stream` takes a stream of `Reply`, `String`, `&'static str` or `Cow<'static, str>`, or of `Result`s of these"
)]
pub trait StreamedReply {
    /// Converts the item to a reply.
    ///
    /// # Errors
    ///
    /// The error that the stream returned.
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

#[diagnostic::do_not_recommend]
impl StreamedReply for Cow<'static, str> {
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
