//! Publishing events in a thread without a turn.

use super::{CreateEvent, CreateThread, Repository, RepositoryError};
use crate::handler::Reply;
use crate::protocol::Thread;
use crate::store::{Scope, ThreadPatch};

/// Publishes events in a thread without a turn: news of an order, a reminder, an answer that took days.
///
/// [`WorkerServer::broadcast`](crate::WorkerServer::broadcast) returns it. Everything is stored, so that users who are
/// offline find it later.
///
/// ```
/// # use dooers::prelude::*;
/// # use dooers::WorkerServer;
/// # use dooers::repository::Scope;
/// # #[dooers::agent]
/// # async fn support() {}
/// # async fn f(server: WorkerServer) -> Result<()> {
/// let scope = Scope::everyone::<support>("w1").organization("o1").workspace("s1");
/// let broadcast = server.broadcast().await?;
/// broadcast.send_event(&scope, "order-7", Reply::text("Your parcel is on its way.")).await?;
/// broadcast.send_thread_update(&scope, "order-7", |thread| thread.title("Order 7, sent")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Broadcast {
    repository: Repository,
}

impl Broadcast {
    pub(crate) fn new(repository: Repository) -> Self {
        Self { repository }
    }

    /// The same broadcast, without the confinement of [`TurnServer::broadcast`](crate::TurnServer::broadcast) to the worker,
    /// organization and workspace of its turn.
    #[must_use]
    pub fn everywhere(self) -> Self {
        Self {
            repository: self.repository.everywhere(),
        }
    }

    /// Stores an event and publishes it to the subscribers of the thread, as [`Repository::create_event`] does.
    pub fn send_event(
        &self,
        scope: &Scope,
        thread_id: impl Into<String>,
        event: impl Into<Reply>,
    ) -> CreateEvent {
        self.repository.create_event(scope, thread_id, event)
    }

    /// Changes the title or the metadata of a thread, and notifies all clients that may see the thread.
    ///
    /// # Errors
    ///
    /// The same as [`Repository::update_thread`].
    pub async fn send_thread_update(
        &self,
        scope: &Scope,
        thread_id: &str,
        change: impl FnOnce(ThreadPatch) -> ThreadPatch + Send,
    ) -> Result<Thread, RepositoryError> {
        self.repository
            .update_thread(scope, thread_id, change)
            .await
    }

    /// Creates a thread and notifies all clients that may see it, as [`Repository::create_thread`] does.
    pub fn create_thread(&self, scope: &Scope) -> CreateThread {
        self.repository.create_thread(scope)
    }
}
