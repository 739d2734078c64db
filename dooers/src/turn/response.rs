//! Where the answer goes.

use super::outbox::Outbox;
use super::recorder::Recorder;
use super::text::TextStream;
use crate::AgentError;
use crate::protocol::{ContentPart, Form, RunStatus};
use crate::reply::{Reply, StreamedText, TextReply, ToolCall};
use crate::store::ThreadPatch;
use futures::Stream;
use serde_json::Value;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// Sends events to the thread of a turn.
///
/// Each method takes its event at once, in the order of the calls; the returned [`Sent`] can be awaited to know
/// that it is stored. What a handler sends without waiting in between is stored in one transaction. A clone sends
/// to the same turn.
#[derive(Clone)]
pub struct WorkerResponse {
    outbox: Arc<Outbox>,
    author: Option<String>,
}

impl WorkerResponse {
    pub(crate) fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            author: None,
        }
    }

    /// A response for a unit test, and where to read what was sent to it.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn greeter(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    ///     response.text(format!("Hello, {}!", request.message)).await?;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let (response, sent) = WorkerResponse::recorder();
    /// greeter(WorkerRequest::new("Ada"), response).await?;
    /// assert_eq!(sent.texts(), ["Hello, Ada!"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn recorder() -> (Self, Recorder) {
        let outbox = Arc::new(Outbox::recording());
        (Self::new(Arc::clone(&outbox)), Recorder::new(outbox))
    }

    /// The same response, whose events carry this name instead of the assistant's.
    #[must_use]
    pub fn author(&self, name: impl Into<String>) -> Self {
        Self {
            outbox: Arc::clone(&self.outbox),
            author: Some(name.into()),
        }
    }

    /// Sends an event of any kind.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # async fn f(response: WorkerResponse) -> Result<()> {
    /// response.send(Reply::image("https://example.org/cat.png").alt("A cat")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(&self, reply: impl Into<Reply>) -> Sent {
        let mut reply = reply.into();
        reply.author = reply.author.or_else(|| self.author.clone());
        let (id, stored) = self.outbox.send(reply);
        Sent::new(id, stored)
    }

    /// Sends a message of plain text. An empty text is sent as it is, for example as a place that is filled later.
    pub fn text(&self, text: impl Into<String>) -> Sent {
        self.send(Reply::text(text))
    }

    /// Sends a picture at this address. For a description and so on, [`send`](Self::send) a
    /// [`Reply::image`].
    pub fn image(&self, url: impl Into<String>) -> Sent {
        self.send(Reply::image(url))
    }

    /// Sends a sound at this address. For a duration and so on, [`send`](Self::send) a [`Reply::audio`].
    pub fn audio(&self, url: impl Into<String>) -> Sent {
        self.send(Reply::audio(url))
    }

    /// Sends a file of this name at this address. For a size and so on, [`send`](Self::send) a [`Reply::document`].
    pub fn document(&self, url: impl Into<String>, filename: impl Into<String>) -> Sent {
        self.send(Reply::document(url, filename))
    }

    /// Sends a message of several parts.
    pub fn message(&self, content: Vec<ContentPart>) -> Sent {
        self.send(Reply::message(content))
    }

    /// Sends what the model thought on its way to the answer.
    pub fn reasoning(&self, text: impl Into<String>) -> Sent {
        self.send(Reply::reasoning(text))
    }

    /// Begins a message whose text grows while users read it.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # async fn next_token() -> Option<String> { None }
    /// #[dooers::agent]
    /// async fn writer(response: WorkerResponse) -> Result<()> {
    ///     let text = response.text_stream();
    ///     while let Some(token) = next_token().await {
    ///         text.push(token);
    ///     }
    ///     text.finish().await?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use = "a text ends when it is dropped"]
    pub fn text_stream(&self) -> TextStream {
        self.begin_text(Reply::text(""))
    }

    /// The same for what the model thinks on its way to the answer.
    #[must_use = "a text ends when it is dropped"]
    pub fn reasoning_stream(&self) -> TextStream {
        self.begin_text(Reply::reasoning(""))
    }

    /// Sends a message whose text comes piece by piece: any `Stream` of text, or of `Result`s of it. The result is the
    /// id of its event, once the whole text is stored.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use futures::stream;
    /// #[dooers::agent]
    /// async fn writer(response: WorkerResponse) -> Result<()> {
    ///     let tokens = stream::iter(["One ", "word ", "after ", "the other."]);
    ///     response.stream_text(tokens).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The first error of the stream. The message stays, with the text that came before it.
    pub async fn stream_text<S>(&self, stream: S) -> Result<String, AgentError>
    where
        S: Stream,
        S::Item: StreamedText,
    {
        let text = self.text_stream();
        text.push_all(stream).await?;
        text.finish().await
    }

    /// The same for what the model thinks on its way to the answer.
    ///
    /// # Errors
    ///
    /// As [`stream_text`](Self::stream_text).
    pub async fn stream_reasoning<S>(&self, stream: S) -> Result<String, AgentError>
    where
        S: Stream,
        S::Item: StreamedText,
    {
        let text = self.reasoning_stream();
        text.push_all(stream).await?;
        text.finish().await
    }

    /// Sends what a handler returned.
    pub(super) async fn stream_reply(&self, reply: TextReply) -> Result<(), AgentError> {
        let (empty, stream) = reply.into_parts();
        let text = self.begin_text(empty);
        text.push_all(stream).await?;
        // It is stored together with the end of the run.
        drop(text.finish());
        Ok(())
    }

    fn begin_text(&self, mut empty: Reply) -> TextStream {
        empty.author = empty.author.or_else(|| self.author.clone());
        TextStream::begin(&self.outbox, empty)
    }

    /// Sends a call of a tool.
    pub fn tool_call(&self, call: ToolCall) -> Sent {
        self.send(Reply::tool_call(call))
    }

    /// Sends the result of a call.
    pub fn tool_result(&self, call: ToolCall, result: impl Into<Value>) -> Sent {
        self.send(Reply::tool_result(call, result))
    }

    /// Sends a call and its result in one event.
    pub fn tool_transaction(&self, call: ToolCall, result: impl Into<Value>) -> Sent {
        self.send(Reply::tool_transaction(call, result))
    }

    /// Asks the user something. The answers start a turn of their own, whose
    /// [`WorkerRequest::form`](crate::WorkerRequest::form) reads them. A form that its [`check`](Form::check) refuses is
    /// not sent and fails the turn.
    ///
    /// A form with a password field needs a server with `WORKER_SECRET_KEY`: what is typed into the field is sealed until
    /// the handler reads it. Without a key the form is refused, and the turn fails with an error that says so.
    pub fn form(&self, form: &Form) -> Sent {
        self.send(Reply::form(form))
    }

    /// Changes the thread's title or metadata. The result is `""`.
    ///
    /// A title of more than [`MAX_TITLE_BYTES`](crate::protocol::MAX_TITLE_BYTES), or metadata of more than
    /// [`MAX_METADATA_BYTES`](crate::protocol::MAX_METADATA_BYTES) as JSON, is refused: awaiting it gives the error, and the
    /// turn fails. [`title_from`](crate::title_from) makes a title that fits.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # async fn f(response: WorkerResponse) -> Result<()> {
    /// response.update_thread(|thread| thread.title("A better title")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_thread(&self, change: impl FnOnce(ThreadPatch) -> ThreadPatch) -> Sent {
        let stored = self.outbox.patch(change(ThreadPatch::default()));
        Sent::new(String::new(), stored)
    }

    /// Starts a run, in an agent of `run = "manual"`; the result is the run's id. Events that follow belong to it.
    pub fn run_start(&self) -> Sent {
        let (id, stored) = self.outbox.start_run();
        Sent::new(id, stored)
    }

    /// Ends the open run as succeeded, or as failed with a text that users may read.
    pub fn run_end(&self, outcome: Result<(), String>) -> Sent {
        let (status, error) = match outcome {
            Ok(()) => (RunStatus::Succeeded, None),
            Err(text) => (RunStatus::Failed, Some(text)),
        };
        let (id, stored) = self.outbox.end_run(status, error);
        Sent::new(id, stored)
    }
}

impl fmt::Debug for WorkerResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerResponse")
            .field("author", &self.author)
            .finish_non_exhaustive()
    }
}

/// Something that was sent. Awaiting it gives its id once it is stored; it is sent whether or not it is awaited,
/// and a failure to store it fails the turn. So does an event that clients could not show, which is not sent: a form
/// that its [`check`](Form::check) refuses, or a part with a `ref_id` and no `url`.
///
/// U+0000 is removed from its texts. If its JSON is nested deeper than
/// [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH), or has two members of one name once U+0000 is removed, it is refused:
/// awaiting it gives the error, and the turn fails.
#[derive(Debug)]
pub struct Sent {
    id: String,
    stored: oneshot::Receiver<Result<(), AgentError>>,
}

impl Sent {
    pub(super) fn new(id: String, stored: oneshot::Receiver<Result<(), AgentError>>) -> Self {
        Self { id, stored }
    }

    /// The id of what was sent, before it is stored.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Future for Sent {
    type Output = Result<String, AgentError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.stored).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(Ok(()))) => Poll::Ready(Ok(std::mem::take(&mut self.id))),
            Poll::Ready(Ok(Err(error))) => Poll::Ready(Err(error)),
            Poll::Ready(Err(_)) => Poll::Ready(Err(AgentError::from(
                "the turn ended before this was stored",
            ))),
        }
    }
}
