//! The type [`Repository`].

use super::target::{Target, describe};
use super::{List, Listed, RepositoryError};
use crate::protocol::{MAX_CLIENT_ID_BYTES, check_id as check_given_id};
use crate::server::server_state::ServerState;
use crate::store::{Change, ChangeBody, Scope, StoreError, ThreadEdit};
use std::sync::Arc;

/// The conversations and settings of a server, to be read and changed outside of a turn.
///
/// [`WorkerServer::repository`](crate::WorkerServer::repository) returns it. Each call takes a [`Scope`]. A thread
/// outside the scope is `NotFound`, as if it did not exist. The repository that a handler gets from its
/// [`TurnServer`](crate::TurnServer) also refuses scopes outside the worker, organization and workspace of the turn.
///
/// U+0000 is removed from all texts. Ids with U+0000, and JSON that is nested deeper than
/// [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH) levels, are [`RepositoryError::Invalid`]. So are ids, users, titles and
/// metadata beyond the limits of [`protocol`](crate::protocol): a title has at most 1 KiB, and metadata at most 16 KiB.
///
/// A change is stored and then published to all clients that may see it, in the order of the thread's other changes.
/// Clients that read slowly or reconnect receive it as well. A change is completed even if its caller stops awaiting
/// it.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::repository::Scope;
/// use dooers::{Database, WorkerServer};
///
/// #[dooers::agent]
/// async fn support() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let config = WorkerConfig::new().database(Database::Memory);
/// let server = WorkerServer::new(config).agent::<support>();
/// let repository = server.repository().await?;
/// let scope = Scope::everyone::<support>("w1").organization("o1").workspace("s1");
///
/// let thread = repository.create_thread(&scope).title("Order 7").owner("ana").await?;
/// repository.create_event(&scope, &thread.id, Reply::text("Your parcel is on its way.")).await?;
///
/// let page = repository.threads(&scope).user("ana").limit(20).await?;
/// assert_eq!(page.items[0].title.as_deref(), Some("Order 7"));
/// assert_eq!(page.next, None);
/// # server.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Repository {
    server: Arc<ServerState>,
    /// The place of the turn that the repository is confined to.
    within: Option<Scope>,
}

impl Repository {
    pub(in crate::server) fn new(server: Arc<ServerState>) -> Self {
        Self {
            server,
            within: None,
        }
    }

    /// Creates the repository of a turn in this place.
    pub(in crate::server) fn within(server: Arc<ServerState>, place: Scope) -> Self {
        Self {
            server,
            within: Some(place),
        }
    }

    /// The same repository, without the confinement of [`TurnServer::repository`](crate::TurnServer::repository) to the
    /// worker, organization and workspace of its turn. A repository of [`WorkerServer`](crate::WorkerServer) is not confined.
    #[must_use]
    pub fn everywhere(self) -> Self {
        Self {
            within: None,
            ..self
        }
    }

    pub(super) fn place(&self, scope: &Scope) -> Target {
        Target::new(Arc::clone(&self.server), scope.clone(), self.within.clone())
    }

    /// The server, for a request that no worker confines.
    pub(super) fn whole_server(&self) -> Result<&ServerState, RepositoryError> {
        match &self.within {
            Some(turn) => Err(RepositoryError::OutsideTurn {
                scope: "all workers".to_owned(),
                turn: describe(turn),
            }),
            None => Ok(&self.server),
        }
    }

    pub(super) fn list<L: Listed>(&self, scope: &Scope, listed: L) -> List<L> {
        List::new(self.place(scope), listed)
    }

    pub(super) async fn edit(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Vec<Change>, RepositoryError> {
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        let editing = server.edit_thread(scope.clone(), thread_id.to_owned(), edit);
        Ok(editing.await?)
    }
}

/// Refuses an id that is not allowed.
pub(super) fn check_id(what: &str, id: &str) -> Result<(), RepositoryError> {
    if (1..=MAX_CLIENT_ID_BYTES).contains(&id.len()) {
        return Ok(check_given_id("id", id).map_err(StoreError::from)?);
    }
    let (is, most) = (id.len(), MAX_CLIENT_ID_BYTES);
    Err(RepositoryError::Invalid(format!(
        "the id of {what} must have 1 to {most} bytes, and this one has {is}; without an id, one is generated"
    )))
}

/// Finds the result that a caller waits for among the changes.
pub(super) fn found<T>(
    changes: Vec<Change>,
    pick: impl Fn(ChangeBody) -> Option<T>,
) -> Result<T, RepositoryError> {
    let found = changes.into_iter().find_map(|change| pick(change.body));
    found.ok_or_else(|| {
        RepositoryError::Store(StoreError::Failed {
            what: "return the change",
            source: "the store did not return it".into(),
        })
    })
}
