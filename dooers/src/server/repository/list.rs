//! Lists, page by page.

use super::RepositoryError;
use crate::server::running::Running;
use crate::store::{NotACursor, Order, Scope, Store, StoreError};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, stream};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// So many items are on a page, unless another limit is set …
pub const PAGE: usize = 50;

/// … and so many at the most: a higher limit is cut to this.
pub const MAX_PAGE: usize = 1_000;

/// So many items are read at a time for a stream.
const STREAMED: usize = 200;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on it, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins: for [`List::after`]. None behind the last page.
    pub next: Option<String>,
}

/// A list of a [`Repository`](super::Repository), of [`Threads`](super::Threads), [`Events`](super::Events) or
/// [`Runs`](super::Runs): awaited it is a [`Page`], and [`stream`](List::stream) reads it to its end.
///
/// Without anything else it is the first page of everything that the scope shows, with the newest first. Filters that
/// match nothing give an empty page.
#[must_use = "nothing is read until it is awaited or streamed"]
pub struct List<L> {
    running: Arc<Running>,
    scope: Scope,
    pub(super) listed: L,
    order: Order,
    after: Option<String>,
    limit: Option<usize>,
}

/// What a [`List`] can be of.
pub trait Listed: Sealed + Clone + Send + Sync + 'static {
    /// What is in the list.
    type Item: Send + 'static;

    /// Reads what comes behind a cursor.
    #[doc(hidden)]
    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<Self::Item>, FindError>>;

    /// The cursor behind an item.
    #[doc(hidden)]
    fn cursor(item: &Self::Item) -> String;
}

/// Nobody else lists anything.
pub trait Sealed {}

/// Which part of a list is read.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    pub(super) order: Order,
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

/// Why a part of a list could not be read.
#[derive(Debug)]
pub enum FindError {
    Cursor,
    Store(StoreError),
}

impl From<NotACursor> for FindError {
    fn from(_: NotACursor) -> Self {
        Self::Cursor
    }
}

impl From<StoreError> for FindError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<L: Listed> List<L> {
    pub(super) fn new(running: Arc<Running>, scope: Scope, listed: L) -> Self {
        Self {
            running,
            scope,
            listed,
            order: Order::NewestFirst,
            after: None,
            limit: None,
        }
    }

    /// The oldest first.
    pub fn oldest_first(mut self) -> Self {
        self.order = Order::OldestFirst;
        self
    }

    /// At most so many items: on the page, or in the stream. A page has [`PAGE`] unless it is told, and [`MAX_PAGE`] at the
    /// most.
    pub fn limit(mut self, items: usize) -> Self {
        self.limit = Some(items);
        self
    }

    /// Behind the page whose [`next`](Page::next) this is. The list must be the same, in the same order.
    pub fn after(mut self, cursor: impl Into<Option<String>>) -> Self {
        self.after = cursor.into();
        self
    }

    /// The same, read page by page while the stream is polled, to the end of the list unless there is a limit.
    ///
    /// Each item comes once, also while others are added. Only a thread in which something happens meanwhile changes its
    /// place: it may come again with the oldest first, and be passed over with the newest first. The stream ends with its
    /// first error.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<L::Item, RepositoryError>> + Send + Unpin + use<L> {
        let reading = Reading {
            left: self.limit.unwrap_or(usize::MAX),
            list: self,
            ready: VecDeque::new(),
            is_over: false,
        };
        let next = |mut reading: Reading<L>| async move {
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
        // One more than the page holds tells whether there is another page.
        let part = Part {
            order: self.order,
            after: self.after.as_deref(),
            limit: limit + 1,
        };
        let found = self.listed.find(&*self.running.store, &self.scope, part);
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

/// A list that is read to its end.
struct Reading<L: Listed> {
    list: List<L>,
    left: usize,
    ready: VecDeque<L::Item>,
    is_over: bool,
}

impl<L: Listed> Reading<L> {
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
