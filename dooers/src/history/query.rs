//! Queries of a memory.

use super::MemoryError;
use super::filter::{Filter, VisibleEvents};
use super::pages::{PAGE, PageFeed, PageQuery};
use super::source::Source;
use super::view::View;
use crate::protocol::{Actor, EventType, ThreadEvent};
use crate::store::Order;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, stream};
use std::collections::VecDeque;
use std::fmt;

/// Default limit of a memory query that is awaited, see [`MemoryQuery::limit`]. Streams have no default limit.
pub const DEFAULT_HISTORY_LIMIT: usize = 50;

/// A query of a [`WorkerMemory`](crate::WorkerMemory). Awaiting it returns a `Vec`, and
/// [`stream`](MemoryQuery::stream) reads it page by page.
///
/// By default the query returns the newest [`DEFAULT_HISTORY_LIMIT`] events, the oldest of them first, see
/// [`limit`](MemoryQuery::limit). Each filter can be called several times. An event then passes the filter if it
/// matches any of the values.
///
/// ```
/// # use dooers::prelude::*;
/// # use dooers::protocol::Actor;
/// # async fn f(memory: WorkerMemory) -> Result<()> {
/// let last_words = memory.messages().actor(Actor::User).limit(3).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is read until it is awaited or streamed"]
pub struct MemoryQuery<T> {
    source: Source,
    view: View,
    filter: Filter,
    limit: Option<usize>,
    is_oldest_first: bool,
    shape: Box<dyn Shape<T>>,
}

/// A conversion of events to the items of a query.
pub(super) trait Shape<T>: Send {
    /// The events that can be converted.
    fn shown(&self) -> VisibleEvents;

    /// Takes the next event, in the order of the conversation. Appends the items that are complete to `ready`.
    fn push(&mut self, event: ThreadEvent, ready: &mut VecDeque<T>);

    /// Appends the remaining items to `ready`. There are no more events.
    fn finish(&mut self, ready: &mut VecDeque<T>) {
        let _ = ready;
    }

    /// The id of a form that must be passed to `know_form` before this event is pushed.
    fn missing_form<'a>(&self, event: &'a ThreadEvent) -> Option<&'a str> {
        let _ = event;
        None
    }

    /// Takes a form that was missing. `None` if the form does not exist.
    fn know_form(&mut self, event_id: &str, form: Option<&ThreadEvent>) {
        let _ = (event_id, form);
    }
}

/// Events without a conversion.
#[derive(Debug)]
pub(super) struct Plain;

impl Shape<ThreadEvent> for Plain {
    fn shown(&self) -> VisibleEvents {
        VisibleEvents {
            actors: None,
            kinds: None,
        }
    }

    fn push(&mut self, event: ThreadEvent, ready: &mut VecDeque<ThreadEvent>) {
        ready.push_back(event);
    }
}

impl<T: Send + 'static> MemoryQuery<T> {
    pub(super) fn new(source: Source, view: View, shape: impl Shape<T> + 'static) -> Self {
        Self {
            source,
            view,
            filter: Filter::default(),
            limit: None,
            is_oldest_first: false,
            shape: Box::new(shape),
        }
    }

    /// Sets the maximum number of events that are returned: the newest ones, up to and including the message that the
    /// turn answers.
    ///
    /// Events that the turn itself writes are also returned, but they are not counted. The history therefore always
    /// contains the message that is being answered and everything that was done to answer it, even after many tool
    /// calls. With `limit(20)`, a history has at most 20 events when the handler starts, and grows while the handler
    /// writes.
    ///
    /// Only events that pass the filters are counted, before calls are joined with their results and messages are
    /// merged. With [`oldest_first`](Self::oldest_first), the events of the turn are counted like all others.
    /// `limit(0)` returns nothing.
    pub fn limit(mut self, events: usize) -> Self {
        self.limit = Some(events);
        self
    }

    /// Returns the oldest events instead of the newest. The order of the events stays the same.
    pub fn oldest_first(mut self) -> Self {
        self.is_oldest_first = true;
        self
    }

    /// Returns only events of this actor.
    pub fn actor(mut self, actor: Actor) -> Self {
        self.filter.actors.push(actor);
        self
    }

    /// Returns only events of this type.
    pub fn kind(mut self, kind: EventType) -> Self {
        self.filter.kinds.push(kind);
        self
    }

    /// Returns only events that the user with this id sent.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        self.filter.user_ids.push(user_id.into());
        self
    }

    /// Returns only events of the run with this id.
    pub fn run(mut self, run_id: impl Into<String>) -> Self {
        self.filter.run_ids.push(run_id.into());
        self
    }

    /// Reads the query page by page while the stream is polled. A thread of any length takes the memory of one page.
    ///
    /// Without a limit, the stream reads the whole thread.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use futures::StreamExt;
    /// # async fn f(memory: WorkerMemory) -> Result<()> {
    /// let mut messages = memory.messages().stream();
    /// while let Some(message) = messages.next().await {
    ///     println!("{}", message?.text());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> impl Stream<Item = Result<T, MemoryError>> + Send + Unpin + use<T> {
        let limit = self.limit;
        let reader = QueryReader::new(self, limit, PAGE);
        stream::unfold(reader, |mut reader| async move {
            let next = reader.next().await?;
            Some((next, reader))
        })
        .boxed()
    }
}

impl<T: Send + 'static> IntoFuture for MemoryQuery<T> {
    type Output = Result<Vec<T>, MemoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let limit = self.limit.unwrap_or(DEFAULT_HISTORY_LIMIT);
        // All items are collected in memory anyway, so all events may be kept.
        let mut reader = QueryReader::new(self, Some(limit), usize::MAX);
        async move {
            let mut all = Vec::new();
            while let Some(next) = reader.next().await {
                all.push(next?);
            }
            Ok(all)
        }
        .boxed()
    }
}

impl<T> fmt::Debug for MemoryQuery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryQuery")
            .field("filter", &self.filter)
            .field("limit", &self.limit)
            .field("is_oldest_first", &self.is_oldest_first)
            .finish_non_exhaustive()
    }
}

/// The progress of a query.
struct QueryReader<T> {
    source: Source,
    state: QueryState,
    shape: Box<dyn Shape<T>>,
    ready: VecDeque<T>,
}

enum QueryState {
    /// The newest events have not been read yet. Up to `keep` of them may be kept in memory.
    Newest {
        reading: Box<PageQuery>,
        limit: usize,
        keep: usize,
    },
    Feeding(PageFeed),
    /// All events have been read, or reading failed.
    Over,
}

impl<T> QueryReader<T> {
    fn new(query: MemoryQuery<T>, limit: Option<usize>, keep: usize) -> Self {
        let reading = PageQuery {
            source: query.source.clone(),
            ranges: query.view.ranges(),
            filter: query.filter,
            shown: query.shape.shown(),
        };
        let state = match limit {
            Some(limit) if !query.is_oldest_first => QueryState::Newest {
                reading: Box::new(reading),
                limit,
                keep,
            },
            limit => {
                let limit = limit.unwrap_or(usize::MAX);
                let pages = reading.pages(Order::OldestFirst, limit);
                QueryState::Feeding(PageFeed::Read(Box::new(pages)))
            }
        };
        Self {
            source: query.source,
            state,
            shape: query.shape,
            ready: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> Option<Result<T, MemoryError>> {
        while self.ready.is_empty() {
            if matches!(self.state, QueryState::Over) {
                return None;
            }
            if let Err(error) = self.read_more().await {
                self.state = QueryState::Over;
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }

    /// Reads the next events and passes them to the shape.
    async fn read_more(&mut self) -> Result<(), MemoryError> {
        let events = match &mut self.state {
            QueryState::Newest {
                reading,
                limit,
                keep,
            } => {
                let feed = reading.as_ref().clone().newest(*limit, *keep).await?;
                self.state = QueryState::Feeding(feed);
                return Ok(());
            }
            QueryState::Feeding(feed) => feed.next().await?,
            QueryState::Over => return Ok(()),
        };
        if events.is_empty() {
            self.shape.finish(&mut self.ready);
            self.state = QueryState::Over;
        }
        for event in events {
            if let Some(id) = self.shape.missing_form(&event) {
                let form = self.source.form(id, event.seq).await?;
                self.shape.know_form(id, form.as_ref());
            }
            self.shape.push(event, &mut self.ready);
        }
        Ok(())
    }
}
