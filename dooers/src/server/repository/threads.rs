//! The threads of a [`Repository`].

use super::handle::{check_id, found};
use super::list::{FindError, Part, Sealed};
use super::target::Target;
use super::{List, Listed, Repository, RepositoryError};
use crate::protocol::{Thread, User, new_id, timestamp};
use crate::store::{
    Change, ChangeBody, NewThread, Participant, Scope, Store, ThreadCursor, ThreadDraft,
    ThreadEdit, ThreadPatch, ThreadQuery,
};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

/// Methods for threads.
impl Repository {
    /// Lists the threads of the scope, the one with the newest event first.
    pub fn threads(&self, scope: &Scope) -> List<Threads> {
        self.list(scope, Threads(ThreadQuery::newest(0)))
    }

    /// Reads a thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    pub async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<Thread, RepositoryError> {
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        Ok(server.store.thread(scope, thread_id).await?.thread)
    }

    /// Creates a thread without a message.
    ///
    /// # Errors
    ///
    /// Awaiting it returns the thread, or `Conflict` for an id that is taken.
    pub fn create_thread(&self, scope: &Scope) -> CreateThread {
        CreateThread::new(self.place(scope))
    }

    /// Changes the title or the metadata of a thread, and returns the changed thread. Values that the thread already has
    /// are not a change: nothing is stored, and clients receive nothing.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::repository::{Repository, Scope};
    /// # async fn f(repository: Repository, scope: Scope) -> Result<()> {
    /// repository.update_thread(&scope, "order-7", |thread| thread.title("Order 7, sent")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope; `Invalid` for a title or metadata that is too large.
    pub async fn update_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
        change: impl FnOnce(ThreadPatch) -> ThreadPatch + Send,
    ) -> Result<Thread, RepositoryError> {
        let patch = change(ThreadPatch::default());
        if patch.is_empty() {
            return self.thread(scope, thread_id).await;
        }
        let at = timestamp::now();
        let edit = ThreadEdit::Patch { patch, at };
        let changes = self.edit(scope, thread_id, edit).await?;
        if changes.is_empty() {
            return self.thread(scope, thread_id).await;
        }
        thread_of(changes)
    }

    /// Deletes a thread with all of its events and runs, and cancels its turns, like a client's `thread.delete`.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    pub async fn remove_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<(), RepositoryError> {
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        let deleting = server.delete_thread(scope.clone(), thread_id.to_owned());
        Ok(deleting.await?)
    }
}

/// The threads of a scope, ordered by their newest event.
#[derive(Debug, Clone)]
pub struct Threads(ThreadQuery);

impl List<Threads> {
    /// Lists only threads in which this user participates: users who created a thread or have written in it.
    pub fn user(mut self, user_id: impl Into<String>) -> Self {
        let user = Participant::user(&User::new(user_id));
        self.listed.0.participant = Some(user);
        self
    }

    /// Lists only threads whose newest event was stored at this time or later.
    pub fn active_since(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.active_since = Some(at);
        self
    }

    /// Lists only threads whose newest event was stored before this time.
    pub fn active_before(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.active_before = Some(at);
        self
    }
}

impl Sealed for Threads {}

impl Listed for Threads {
    type Item = Thread;

    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<Thread>, FindError>> {
        async move {
            let query = ThreadQuery {
                order: part.order,
                after: part.after.map(str::parse).transpose()?,
                limit: part.limit,
                ..self.0.clone()
            };
            Ok(store.find_threads(scope, &query).await?)
        }
        .boxed()
    }

    fn cursor(thread: &Thread) -> String {
        ThreadCursor::of(thread).to_string()
    }
}

/// The builder of a thread. Awaiting it stores and publishes the thread.
#[derive(Debug)]
#[must_use = "nothing is stored until it is awaited"]
pub struct CreateThread {
    place: Target,
    thread: NewThread,
    owner: User,
}

impl CreateThread {
    pub(super) fn new(place: Target) -> Self {
        Self {
            place,
            thread: NewThread::new(new_id()),
            owner: User::new(""),
        }
    }

    /// Sets the id, of 1 to 128 bytes, which no other thread may have. By default, an id is generated.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.thread.id = id.into();
        self
    }

    /// Sets the title, of at most [`MAX_TITLE_BYTES`](crate::protocol::MAX_TITLE_BYTES).
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.thread.title = Some(title.into());
        self
    }

    /// Sets the metadata: at most [`MAX_METADATA_BYTES`](crate::protocol::MAX_METADATA_BYTES) of JSON.
    pub fn metadata(mut self, metadata: impl Into<Value>) -> Self {
        self.thread.metadata = Some(metadata.into());
        self
    }

    /// Sets the owner. If the agent's threads are private, other users do not see the thread until they write in it, and a thread
    /// without an owner is not visible to any user.
    pub fn owner(mut self, owner: impl Into<User>) -> Self {
        self.owner = owner.into();
        self
    }
}

impl IntoFuture for CreateThread {
    type Output = Result<Thread, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            check_id("a thread", &self.thread.id)?;
            let draft = ThreadDraft {
                thread: self.thread,
                owner: self.owner,
                at: timestamp::now(),
            };
            let (server, scope) = self.place.open()?;
            let created = server.create_thread(scope.clone(), draft).await?;
            thread_of(vec![created])
        }
        .boxed()
    }
}

/// Finds the thread among the changes.
fn thread_of(changes: Vec<Change>) -> Result<Thread, RepositoryError> {
    found(changes, |body| match body {
        ChangeBody::Thread(record) => Some(record.thread),
        _ => None,
    })
}
