//! A message whose text is streamed.

use super::answer::IntoAgentError;
use super::event::Reply;
use crate::AgentError;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A message whose text is streamed, created by [`TextReply::stream`]. It implements `Stream`, so that unit tests can
/// read its texts.
///
/// ```
/// use dooers::prelude::*;
/// use futures::stream;
///
/// #[dooers::agent]
/// async fn writer() -> TextReply {
///     TextReply::stream(stream::iter(["One ", "word ", "after ", "the other."]))
/// }
/// ```
pub struct TextReply {
    empty: Reply,
    texts: BoxStream<'static, Result<String, AgentError>>,
}

impl TextReply {
    /// Creates a message from a stream of texts, or of `Result`s of texts. The first error ends the turn. The message
    /// keeps the text that arrived before the error.
    pub fn stream<S>(texts: S) -> Self
    where
        S: Stream + Send + 'static,
        S::Item: StreamedText,
    {
        Self::of(Reply::text(""), texts)
    }

    /// Creates an event with reasoning of the model from a stream.
    pub fn reasoning<S>(texts: S) -> Self
    where
        S: Stream + Send + 'static,
        S::Item: StreamedText,
    {
        Self::of(Reply::reasoning(""), texts)
    }

    /// Sets the author's name. The default is the assistant's name.
    #[must_use]
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.empty = self.empty.author(author);
        self
    }

    fn of<S>(empty: Reply, texts: S) -> Self
    where
        S: Stream + Send + 'static,
        S::Item: StreamedText,
    {
        let owned = |text: S::Item| text.into_text().map(|text| text.as_ref().to_owned());
        Self {
            empty,
            texts: texts.map(owned).boxed(),
        }
    }

    /// Splits into the message without its text, and the stream of the text.
    pub(crate) fn into_parts(self) -> (Reply, BoxStream<'static, Result<String, AgentError>>) {
        (self.empty, self.texts)
    }
}

impl Stream for TextReply {
    type Item = Result<String, AgentError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.texts.poll_next_unpin(context)
    }
}

impl fmt::Debug for TextReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextReply").finish_non_exhaustive()
    }
}

/// A type that can be an item of a text stream: a text, an `Option` of a text (`None` adds nothing), or a `Result` of
/// these.
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` is not a text",
    note = "`TextReply::stream` takes a stream of `String`, `&str` or `Cow<str>`, or of `Option`s or `Result`s of these"
)]
pub trait StreamedText {
    /// The text type.
    type Text: AsRef<str>;

    /// Converts the item to a text.
    ///
    /// # Errors
    ///
    /// The error that the stream returned.
    fn into_text(self) -> Result<Self::Text, AgentError>;
}

impl StreamedText for String {
    type Text = Self;

    fn into_text(self) -> Result<Self, AgentError> {
        Ok(self)
    }
}

impl<'a> StreamedText for &'a str {
    type Text = &'a str;

    fn into_text(self) -> Result<&'a str, AgentError> {
        Ok(self)
    }
}

impl<'a> StreamedText for Cow<'a, str> {
    type Text = Self;

    fn into_text(self) -> Result<Self, AgentError> {
        Ok(self)
    }
}

impl<T: StreamedText> StreamedText for Option<T> {
    type Text = Cow<'static, str>;

    fn into_text(self) -> Result<Self::Text, AgentError> {
        match self {
            Some(text) => Ok(Cow::Owned(text.into_text()?.as_ref().to_owned())),
            None => Ok(Cow::Borrowed("")),
        }
    }
}

impl<T: StreamedText, E: IntoAgentError> StreamedText for Result<T, E> {
    type Text = T::Text;

    fn into_text(self) -> Result<Self::Text, AgentError> {
        self.map_err(IntoAgentError::into_agent_error)?.into_text()
    }
}
