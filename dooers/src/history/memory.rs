//! `WorkerMemory`, the conversation as a handler reads it.

use super::format::History;
use super::query::{MemoryQuery, Plain};
use super::source::{Given, Source};
use super::transcript::Transcript;
use super::view::{OwnEvents, View};
use super::{ChatMessage, HistoryFormat, MemoryError};
use crate::protocol::{Thread, ThreadEvent};
use crate::store::{EventQuery, Scope, Store};
use serde_json::Value;
use std::sync::Arc;

/// Reads the earlier messages of a thread. A handler takes it as an argument.
///
/// ```
/// use dooers::prelude::*;
///
/// # fn ask_model(history: Vec<serde_json::Value>) -> impl futures::Stream<Item = String> {
/// #     futures::stream::iter([history.len().to_string()])
/// # }
/// #[dooers::agent]
/// async fn support(memory: WorkerMemory, response: WorkerResponse) -> Result<()> {
///     let history = memory.history(HistoryFormat::OpenAi).limit(20).await?;
///     response.stream_text(ask_model(history)).await?;
///     Ok(())
/// }
/// ```
///
/// # The view of a turn
///
/// A turn sees the thread up to the message that it answers, and everything that the turn itself has written since.
/// When the handler starts, the history therefore ends with that message. Events that the handler sends appear once
/// they are stored, and awaiting the send waits for that. Of a text that is still streaming, the part that has been
/// stored appears. A [`limit`](MemoryQuery::limit) counts the events up to that message. Events that the turn itself
/// writes are not counted.
///
/// The answers to forms that the turn [asks](crate::WorkerResponse::ask_form) are included.
/// Messages that wait behind the turn are not included, because each of them gets its own turn. If messages arrived
/// while others were being answered, the turn's message comes after the answers to the earlier messages, although it
/// was stored before them. A retry sees the events that the earlier attempt stored, before the message. Turns of an
/// agent with `on_busy = "concurrent"` do not see answers of other turns that were stored after their own message.
///
/// # Events and messages
///
/// [`events`](Self::events) returns all events. [`messages`](Self::messages) and [`history`](Self::history) convert
/// them:
///
/// | event | becomes |
/// |---|---|
/// | `message` of a user or the assistant | a message |
/// | `message` of the system, which reports a failed run | nothing |
/// | `tool.call` and its `tool.result`, see below | a tool use with its arguments and its result. Text directly before the call is in the same message, and so are parallel calls |
/// | a `tool.call` without a result | the same, with a result that says so |
/// | a `tool.result` without a call, `tool.transaction` | the same, made from the event's own data |
/// | `form` | the message of the form, and the labels of its fields in brackets. Nothing for a form that asks to approve a tool call: the result of the call has the decision |
/// | `form.response` | nothing for such a form, and otherwise the answers, after `[form answered]`; `[hidden]` in place of answers to password fields |
/// | `chart` | its title in brackets |
/// | `reasoning`, `run.started`, `run.finished` | nothing |
/// | any event with only white space | nothing |
///
/// Users are named by their `user_name`, assistants by the `author` of their events. Email addresses are never used as
/// names: a name that is or contains an email address is left out. `events` returns the events as clients see them, so
/// the `author` of a user's event may be an email address.
///
/// # Calls and their results
///
/// Models repeat the ids of calls or leave them empty. A result therefore belongs to a call with the same run, `id`
/// and `name` that has no result yet. If there are several, the result belongs to the one with the same `args` if it
/// repeats the arguments, and otherwise to the first one. A run, `id` or `name` that is missing in one of the two
/// events matches any value, but either the `id` or the `name` must be equal. If the `id` is empty or is the name of
/// the tool, `args` that both events have must also be equal.
///
/// Calls and results of different runs never belong together, and each result belongs to exactly one call. If more
/// than 200 messages lie between a call and its result, the result counts as missing.
#[derive(Debug, Clone)]
pub struct WorkerMemory {
    source: Source,
    view: View,
}

impl WorkerMemory {
    /// Creates the memory of a whole thread.
    pub(crate) fn of_thread(store: Arc<dyn Store>, scope: Scope, thread_id: String) -> Self {
        Self {
            source: Source::Stored {
                store,
                scope,
                thread_id,
            },
            view: View::Thread,
        }
    }

    /// Creates the memory of a turn that has just been claimed. `message` is the position of the message that the turn
    /// answers.
    pub(crate) async fn of_turn(
        store: Arc<dyn Store>,
        scope: Scope,
        thread_id: String,
        message: u64,
        own: OwnEvents,
    ) -> Result<Self, MemoryError> {
        let whole = Self::of_thread(store, scope, thread_id);
        let behind = EventQuery {
            after: message,
            ..EventQuery::newest(1)
        };
        let last = whole.source.find(&behind).await?;
        let view = View::Turn {
            message,
            claimed: last.first().map_or(message, |event| event.seq),
            own_runs: own.runs,
            answers: own.answers,
        };
        Ok(Self { view, ..whole })
    }

    /// Creates a memory of these events for a unit test, the oldest first.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// #[dooers::agent]
    /// async fn counter(memory: WorkerMemory) -> Result<String> {
    ///     Ok(format!("{} messages", memory.messages().await?.len()))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let memory = WorkerMemory::of([
    ///     WorkerRequest::new("Hello").into(),
    ///     Reply::text("Hello! How can I help?").into(),
    ///     WorkerRequest::new("Count!").into(),
    /// ]);
    /// assert_eq!(counter(memory).await?, "3 messages");
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(events: impl IntoIterator<Item = ThreadEvent>) -> Self {
        Self::given(Thread::of_nobody(), events)
    }

    /// Sets the thread that the memory of a unit test returns. Does nothing for a memory that reads from a store.
    #[must_use]
    pub fn in_thread(self, thread: Thread) -> Self {
        match self.source {
            Source::Given(given) => Self::given(thread, given.events.iter().cloned()),
            Source::Stored { .. } => self,
        }
    }

    fn given(thread: Thread, events: impl IntoIterator<Item = ThreadEvent>) -> Self {
        let placed = (1..).zip(events).map(|(seq, event)| ThreadEvent {
            seq,
            thread_id: thread.id.clone(),
            ..event
        });
        let events = placed.collect();
        Self {
            source: Source::Given(Arc::new(Given { thread, events })),
            view: View::Thread,
        }
    }

    /// Reads the current row of the thread.
    ///
    /// # Errors
    ///
    /// `NoThread` if the thread was deleted, `Failed` if the database does not answer.
    pub async fn thread(&self) -> Result<Thread, MemoryError> {
        self.source.thread().await
    }

    /// Queries stored events of all types.
    pub fn events(&self) -> MemoryQuery<ThreadEvent> {
        MemoryQuery::new(self.source.clone(), self.view.clone(), Plain)
    }

    /// Queries messages and tool calls in a neutral form, for your own format.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::ChatMessage;
    /// # async fn f(memory: WorkerMemory) -> Result<()> {
    /// let line = |message: &ChatMessage| format!("{:?}: {}", message.role, message.text());
    /// let minutes: Vec<String> = memory.messages().await?.iter().map(line).collect();
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages(&self) -> MemoryQuery<ChatMessage> {
        MemoryQuery::new(
            self.source.clone(),
            self.view.clone(),
            Transcript::default(),
        )
    }

    /// Queries messages in the format of an API.
    pub fn history(&self, format: HistoryFormat) -> MemoryQuery<Value> {
        let history = History::new(format);
        MemoryQuery::new(self.source.clone(), self.view.clone(), history)
    }
}
