//! An answer that comes event by event.

use super::answer::IntoAgentError;
use super::event::Reply;
use crate::AgentError;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Replies that come one after the other. Made by [`Reply::stream`]; a unit test reads it as the `Stream` that it is.
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

/// What a [`Reply::stream`] may consist of.
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` is not a reply",
    note = "`Reply::stream` takes a stream of `Reply`, `String` or `&'static str`, or of `Result`s of these"
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
