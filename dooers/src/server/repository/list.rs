//! Lists that are read page by page.

use super::RepositoryError;
use crate::server::server_state::ServerState;
use crate::store::{InvalidCursor, Order, Scope, Store, StoreError};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, stream};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Default number of items on a page.
pub const PAGE: usize = 50;

/// Maximum number of items on a page. A higher limit is reduced to this.
pub const MAX_PAGE: usize = 1_000;

/// Number of items that a stream reads at a time.
const STREAMED: usize = 200;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// The cursor of the next page, for [`List::after`]. `None` on the last page.
    pub next: Option<String>,
}

/// A list of [`Threads`](super::Threads), [`Events`](super::Events), [`Runs`](super::Runs) or
/// [feedback](super::FeedbackList) in a [`Repository`](super::Repository). Awaiting it reads one [`Page`], and [`stream`](List::stream) reads the whole
/// list.
///
/// By default, it lists everything in the scope, with the newest items first, and awaiting it reads the first page.
/// Filters that match nothing result in an empty page.
#[must_use = "nothing is read until it is awaited or streamed"]
pub struct List<L> {
    server: Arc<ServerState>,
    scope: Scope,
    pub(super) listed: L,
    order: Order,
    after: Option<String>,
    limit: Option<usize>,
}

/// Types that a [`List`] can list.
pub trait Listed: Sealed + Clone + Send + Sync + 'static {
    /// The type of the items.
    type Item: Send + 'static;

    /// Reads the items after a cursor.
    #[doc(hidden)]
    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<Self::Item>, FindError>>;

    /// The cursor after an item.
    #[doc(hidden)]
    fn cursor(item: &Self::Item) -> String;
}

/// A bound that prevents other crates from implementing [`Listed`].
pub trait Sealed {}

/// The part of a list that is read.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    pub(super) order: Order,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

/// The reason why a part of a list could not be read.
#[derive(Debug)]
pub enum FindError {
    Cursor,
    Store(StoreError),
}

impl From<InvalidCursor> for FindError {
    fn from(_: InvalidCursor) -> Self {
        Self::Cursor
    }
}

impl From<StoreError> for FindError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<L: Listed> List<L> {
    pub(super) fn new(server: Arc<ServerState>, scope: Scope, listed: L) -> Self {
        Self {
            server,
            scope,
            listed,
            order: Order::NewestFirst,
            after: None,
            limit: None,
        }
    }

    /// Lists the oldest items first.
    pub fn oldest_first(mut self) -> Self {
        self.order = Order::OldestFirst;
        self
    }

    /// Sets the maximum number of items on the page or in the stream. The default is [`PAGE`] for a page, and no limit
    /// for a stream. A page has at most [`MAX_PAGE`] items.
    pub fn limit(mut self, items: usize) -> Self {
        self.limit = Some(items);
        self
    }

    /// Continues after the page whose [`next`](Page::next) is this cursor. The list must have the same scope, filters
    /// and order.
    pub fn after(mut self, cursor: impl Into<Option<String>>) -> Self {
        self.after = cursor.into();
        self
    }

    /// Reads the list as a stream, which reads one page after the other while it is polled. It ends at the end of the
    /// list, or at the limit if there is one.
    ///
    /// Each item occurs once, even if others are added in the meantime. Threads and feedback are the only exceptions: a
    /// new event moves a thread in the list, and a change moves a feedback. Such an item may occur again if the oldest
    /// are first, and may be missing if the newest are first. The stream ends with its first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<L::Item, RepositoryError>> + Send + Unpin + use<L> {
        let reading = ListStream {
            left: self.limit.unwrap_or(usize::MAX),
            list: self,
            ready: VecDeque::new(),
            is_over: false,
        };
        let next = |mut reading: ListStream<L>| async move {
            let next = reading.next().await?;
            Some((next, reading))
        };
        stream::unfold(reading, next).boxed()
    }

    async fn page(&self, limit: usize) -> Result<Page<L::Item>, RepositoryError> {
        if limit == 0 {
            let text = format!("a page has 1 to {MAX_PAGE} items; the limit is 0");
            return Err(RepositoryError::Invalid(text));
        }
        let limit = limit.min(MAX_PAGE);
        // One item more than the page has shows if there is another page.
        let part = Part {
            order: self.order,
            after: self.after.as_deref(),
            limit: limit + 1,
        };
        let found = self.listed.find(&*self.server.store, &self.scope, part);
        let mut items = found.await.map_err(|error| match error {
            FindError::Store(error) => error.into(),
            FindError::Cursor => RepositoryError::Invalid(
                "`after` takes the `next` of an earlier page of the same list".to_owned(),
            ),
        })?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(L::cursor);
        Ok(Page { items, next })
    }
}

impl<L: Listed> IntoFuture for List<L> {
    type Output = Result<Page<L::Item>, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move { self.page(self.limit.unwrap_or(PAGE)).await }.boxed()
    }
}

impl<L: fmt::Debug> fmt::Debug for List<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("scope", &self.scope)
            .field("listed", &self.listed)
            .field("order", &self.order)
            .field("after", &self.after)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The state of a stream.
struct ListStream<L: Listed> {
    list: List<L>,
    left: usize,
    ready: VecDeque<L::Item>,
    is_over: bool,
}

impl<L: Listed> ListStream<L> {
    async fn next(&mut self) -> Option<Result<L::Item, RepositoryError>> {
        if self.ready.is_empty() && !self.is_over {
            match self.list.page(self.left.min(STREAMED)).await {
                Ok(page) => {
                    self.left -= page.items.len();
                    self.is_over = page.next.is_none() || self.left == 0;
                    self.list.after = page.next;
                    self.ready = page.items.into();
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}
