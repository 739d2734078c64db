//! What a handler remembers.

use super::format::History;
use super::query::{MemoryQuery, Plain};
use super::source::{Given, Source};
use super::transcript::Transcript;
use super::view::{OwnRuns, View};
use super::{ChatMessage, HistoryFormat, MemoryError};
use crate::protocol::{Thread, ThreadEvent};
use crate::store::{EventQuery, Scope, Store};
use serde_json::Value;
use std::sync::Arc;

/// Reads what was said in a thread before, as an argument of a handler.
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
/// # What a turn remembers
///
/// The thread up to the message that the turn answers, and what the turn itself has written since. So at the beginning
/// of a handler the history ends with that message. What the handler sends is remembered once it is stored, which
/// awaiting it waits for; of a text that still grows, what is stored of it. A [`limit`](MemoryQuery::limit) counts the
/// events up to that message, and what the turn writes itself comes on top of it.
///
/// Messages that wait behind the turn are not remembered: each of them has a turn of its own. Where they came in between,
/// the message of the turn stands behind the answers to the messages before it, though it was stored before these. An
/// attempt that follows another one finds what that one had stored before the message. Turns of an agent that is
/// `on_busy = "concurrent"` do not remember each other's answers that came behind their own message.
///
/// # What becomes of which event
///
/// [`events`](Self::events) has them all. In [`messages`](Self::messages) and [`history`](Self::history):
///
/// | event | becomes |
/// |---|---|
/// | `message` of a user or the assistant | a message |
/// | `message` of the system, which tells of a failed run | nothing |
/// | `tool.call` and its `tool.result`, see below | a use of a tool, with its arguments and its result. The text right before the call is in one message with it; calls side by side are in one message |
/// | a `tool.call` whose result is not there | the same, with a result that says so |
/// | a `tool.result` whose call is not there, `tool.transaction` | the same, made from its own data |
/// | `form` | its message, and in brackets what it asks |
/// | `form.response` | in brackets the answers; `[hidden]` for those to password fields |
/// | `chart` | its title in brackets |
/// | `reasoning`, `run.started`, `run.finished` | nothing |
/// | any with nothing but white space in it | nothing |
///
/// Users are named by their `user_name`, assistants by the `author` of their events. Neither is ever a mail address: a name
/// that is one, or has one in it, is left out.
/// `events` has the events as clients see them, so the `author` of a user's event may be the mail address.
///
/// # Calls and their results
///
/// Models repeat the ids of calls, or leave them empty. So a result belongs to a call of the same run, `id` and `name`
/// that has no result yet: to the one with the same `args` if the result repeats them, and otherwise to the first one. A
/// run, an `id` or a `name` that one of the two events lacks fits any, but the `id` or the `name` must be equal. If the
/// `id` is empty or the name of the tool, `args` that both events have must be equal too.
///
/// Calls and results of different runs never belong together, and each result belongs to one call. A result that comes
/// more than 200 messages behind its call counts as not there.
#[derive(Debug, Clone)]
pub struct WorkerMemory {
    source: Source,
    view: View,
}

impl WorkerMemory {
    /// The memory of a whole thread.
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

    /// The memory of a turn that answers the message at this place and was claimed just now. With its own runs, it runs
    /// beside other turns of its thread.
    pub(crate) async fn of_turn(
        store: Arc<dyn Store>,
        scope: Scope,
        thread_id: String,
        message: u64,
        own_runs: Option<Arc<dyn OwnRuns>>,
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
            own_runs,
        };
        Ok(Self { view, ..whole })
    }

    /// A memory of these events for a unit test, the oldest first.
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

    /// The same memory of this thread: for a unit test.
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

    /// The thread as it stands.
    ///
    /// # Errors
    ///
    /// `NoThread` if it was deleted, `Failed` if the database does not answer.
    pub async fn thread(&self) -> Result<Thread, MemoryError> {
        self.source.thread().await
    }

    /// Events as they are stored, of every kind.
    pub fn events(&self) -> MemoryQuery<ThreadEvent> {
        MemoryQuery::new(self.source.clone(), self.view.clone(), Plain)
    }

    /// What was said, and which tools were used, in a form that is no API's: for a format of your own.
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

    /// What was said, ready for an API.
    pub fn history(&self, format: HistoryFormat) -> MemoryQuery<Value> {
        let history = History::new(format);
        MemoryQuery::new(self.source.clone(), self.view.clone(), history)
    }
}
