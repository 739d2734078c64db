//! The response of a handler.

use super::analytics::WorkerAnalytics;
use super::ask_form::AskForm;
use super::id::RunId;
use super::outbox::Outbox;
use super::recorder::Recorder;
use super::reply::{Reply, StreamedText, TextReply, ToolCall};
use super::sent::Sent;
use super::stream_text::StreamText;
use super::text_stream::TextStream;
use crate::AgentError;
use crate::protocol::{ContentPart, Form, RunStatus, Usage};
use crate::store::ThreadPatch;
use futures::Stream;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Sends events to the thread of a turn.
///
/// Events are sent at once, in the order of the calls. Awaiting the returned [`Sent`] waits until the event is stored.
/// All events that a handler sends without waiting in between are stored in one transaction. A clone sends to the same
/// turn.
///
/// ```
/// use dooers::prelude::*;
///
/// #[dooers::agent]
/// async fn painter(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
///     response.text(format!("Painting {}", request.message));
///     response.image("https://example.org/picture.png").await?;
///     Ok(())
/// }
/// ```
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

    /// Creates a response for a unit test, and a recorder that reads the events that were sent to it.
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

    /// The analytics of the same turn. A handler can also take them as an argument.
    ///
    /// A unit test passes them to the handler, and [`Recorder::tracked`] shows the tracked events.
    #[must_use]
    pub fn analytics(&self) -> WorkerAnalytics {
        WorkerAnalytics::of_turn(&self.outbox)
    }

    /// Returns a response whose events have this author name instead of the assistant's name.
    #[must_use]
    pub fn author(&self, name: impl Into<String>) -> Self {
        Self {
            outbox: Arc::clone(&self.outbox),
            author: Some(name.into()),
        }
    }

    /// Sends an event of any type.
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
        Sent::new(id.into(), stored)
    }

    /// Sends a text message. An empty text is sent unchanged, for example as a placeholder.
    pub fn text(&self, text: impl Into<String>) -> Sent {
        self.send(Reply::text(text))
    }

    /// Sends an image by URL. To add a description or other details, [`send`](Self::send) a [`Reply::image`].
    pub fn image(&self, url: impl Into<String>) -> Sent {
        self.send(Reply::image(url))
    }

    /// Sends a sound by URL. To add a duration or other details, [`send`](Self::send) a [`Reply::audio`].
    pub fn audio(&self, url: impl Into<String>) -> Sent {
        self.send(Reply::audio(url))
    }

    /// Sends a file by URL, with its name. To add a size or other details, [`send`](Self::send) a [`Reply::document`].
    pub fn document(&self, url: impl Into<String>, filename: impl Into<String>) -> Sent {
        self.send(Reply::document(url, filename))
    }

    /// Sends a message with several parts.
    pub fn message(&self, content: Vec<ContentPart>) -> Sent {
        self.send(Reply::message(content))
    }

    /// Sends reasoning of the model.
    pub fn reasoning(&self, text: impl Into<String>) -> Sent {
        self.send(Reply::reasoning(text))
    }

    /// Starts a message whose text is streamed.
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

    /// Starts streaming reasoning of the model.
    #[must_use = "a text ends when it is dropped"]
    pub fn reasoning_stream(&self) -> TextStream {
        self.begin_text(Reply::reasoning(""))
    }

    /// Sends a message whose text arrives piece by piece: any `Stream` of texts, or of `Result`s of texts. Returns the
    /// id of the event when the whole text is stored.
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
    /// The first error of the stream. The message keeps the text that arrived before the error.
    pub fn stream_text<S>(&self, stream: S) -> StreamText<S>
    where
        S: Stream,
        S::Item: StreamedText,
    {
        StreamText::new(self.text_stream(), stream)
    }

    /// Sends reasoning of the model that arrives piece by piece.
    ///
    /// # Errors
    ///
    /// The same as for [`stream_text`](Self::stream_text).
    pub fn stream_reasoning<S>(&self, stream: S) -> StreamText<S>
    where
        S: Stream,
        S::Item: StreamedText,
    {
        StreamText::new(self.reasoning_stream(), stream)
    }

    /// Sends a text stream that a handler returned.
    pub(crate) async fn stream_reply(&self, reply: TextReply) -> Result<(), AgentError> {
        let (empty, stream) = reply.into_parts();
        let text = self.begin_text(empty);
        text.push_all(stream).await?;
        // The end of the text is stored together with the end of the run.
        drop(text.finish());
        Ok(())
    }

    fn begin_text(&self, mut empty: Reply) -> TextStream {
        empty.author = empty.author.or_else(|| self.author.clone());
        TextStream::begin(&self.outbox, empty)
    }

    /// Sends a tool call.
    pub fn tool_call(&self, call: ToolCall) -> Sent {
        self.send(Reply::tool_call(call))
    }

    /// Sends the result of a tool call.
    pub fn tool_result(&self, call: ToolCall, result: impl Into<Value>) -> Sent {
        self.send(Reply::tool_result(call, result))
    }

    /// Sends a tool call and its result as one event.
    pub fn tool_transaction(&self, call: ToolCall, result: impl Into<Value>) -> Sent {
        self.send(Reply::tool_transaction(call, result))
    }

    /// Sends a form to the user. The answers start another turn, whose
    /// [`WorkerRequest::form`](crate::WorkerRequest::form) returns them. A form that its [`check`](Form::check)
    /// refuses is not sent and fails the turn.
    ///
    /// A form with a password field requires a server with `WORKER_SECRET_KEY`, because the answer to the field is
    /// sealed until the handler reads it. Without a key the form is refused, and the turn fails with an error that
    /// says so.
    ///
    /// To wait for the answers in the same turn, use [`ask_form`](Self::ask_form).
    pub fn form(&self, form: &Form) -> Sent {
        self.send(Reply::form(form))
    }

    /// Sends a form to the user and waits for the answer, in the same turn. The answer starts no turn of its own, whatever the
    /// agent's `on_busy` option is.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[dooers::agent]
    /// async fn refunds(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    ///     let form = Form::new("Refund the order?").submit_label("Refund").cancel_label("Do not refund");
    ///     let reply = response.ask_form(&form).timeout(Duration::from_secs(300)).await?;
    ///     Ok(match reply {
    ///         FormReply::Answered(_) => "The money is on its way.".to_owned(),
    ///         FormReply::Dismissed => "Then not.".to_owned(),
    ///         _ => "Nobody has decided.".to_owned(),
    ///     })
    /// }
    /// ```
    ///
    /// Everyone who may write in the thread may answer, unless [`only_user`](AskForm::only_user) names a user. One answer is
    /// accepted. The form is closed, and can no longer be answered, when its [`timeout`](AskForm::timeout) is over, when the
    /// returned future is dropped, and when the attempt ends. Another attempt asks again.
    ///
    /// While a turn waits for an answer,
    ///
    /// * its `timeout` stands still;
    /// * it is cancelled like any other turn, by a user or by the next message with `on_busy = "interrupt"`;
    /// * a server that stops ends it at once. It is then retried or recorded as interrupted, like a turn that takes longer
    ///   than the drain time.
    ///
    /// The answer is stored even if the handler does not receive it, because its process dies at this moment. If another
    /// process stores the answer, the handler receives it when its process renews the lease of the turn, which happens three
    /// times in `WORKER_LEASE`.
    ///
    /// # Errors
    ///
    /// Awaiting it returns an error if the form could not be sent, as for [`form`](Self::form), if the timeout is zero or
    /// longer than 7 days, if the turn already waits for 100 forms, and if the answer has a password field whose key this
    /// process does not have. The turn goes on unless the handler returns the error, except that a form that is refused
    /// fails the turn.
    pub fn ask_form(&self, form: &Form) -> AskForm {
        let mut form = Reply::form(form);
        form.author = self.author.clone();
        AskForm::new(Arc::clone(&self.outbox), form)
    }

    /// Changes the title or the metadata of the thread. Awaiting the result waits until the change is stored.
    ///
    /// A title of more than [`MAX_TITLE_BYTES`](crate::protocol::MAX_TITLE_BYTES), or metadata of more than
    /// [`MAX_METADATA_BYTES`](crate::protocol::MAX_METADATA_BYTES) as JSON, is refused: awaiting it returns the error, and the
    /// turn fails. [`title_from`](crate::title_from) makes a title that fits.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # async fn f(response: WorkerResponse) -> Result<()> {
    /// response.update_thread(|thread| thread.title("A better title")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_thread(&self, change: impl FnOnce(ThreadPatch) -> ThreadPatch) -> Sent<()> {
        let stored = self.outbox.patch(change(ThreadPatch::default()));
        Sent::new((), stored)
    }

    /// Records the tokens and the cost of a model call. Awaiting the result waits until the usage is stored.
    ///
    /// The usage is stored in the same transaction as the events that are sent with it. Several calls add up. The run of
    /// the turn shows the sums by model, [`Repository::usage`](crate::repository::Repository::usage) sums up the usage of
    /// many turns, and a [`UsageLimit`](crate::UsageLimit) refuses messages when too much was used. Report the usage of a
    /// call as soon as the model returns it: a handler that is cancelled later has then reported it.
    ///
    /// A usage that its [`check`](Usage::check) refuses is not recorded: awaiting it returns the error, and the turn fails.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn helper(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    ///     // These numbers come from the API of the model.
    ///     response.usage(Usage::new("gpt-4o-mini").input_tokens(1_200).output_tokens(80));
    ///     response.text("Have you tried to turn it off?").await?;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let (response, sent) = WorkerResponse::recorder();
    /// helper(WorkerRequest::new("It is broken."), response).await?;
    /// assert_eq!(sent.usage()[0].input_tokens, 1_200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn usage(&self, usage: Usage) -> Sent<()> {
        Sent::new((), self.outbox.report_usage(usage))
    }

    /// Starts a run, in an agent with `run = "manual"`. The id of the result is the id of the run. Later events belong
    /// to the run.
    pub fn run_start(&self) -> Sent<RunId> {
        let (id, stored) = self.outbox.start_run();
        Sent::new(id.into(), stored)
    }

    /// Ends the open run, as succeeded or as failed. The text of the failure is shown to users.
    pub fn run_end(&self, outcome: Result<(), String>) -> Sent<RunId> {
        let (status, error) = match outcome {
            Ok(()) => (RunStatus::Succeeded, None),
            Err(text) => (RunStatus::Failed, Some(text)),
        };
        let (id, stored) = self.outbox.end_run(status, error);
        Sent::new(id.into(), stored)
    }
}

impl fmt::Debug for WorkerResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerResponse")
            .field("author", &self.author)
            .finish_non_exhaustive()
    }
}
