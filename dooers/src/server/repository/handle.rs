//! The type [`Repository`].

use super::{List, Listed, RepositoryError};
use crate::protocol::{MAX_CLIENT_ID_BYTES, check_id as check_given_id};
use crate::server::server_state::ServerState;
use crate::store::{Change, ChangeBody, Scope, StoreError, ThreadEdit};
use std::sync::Arc;

/// The conversations and settings of a server, to be read and changed outside of a turn.
///
/// [`WorkerServer::repository`](crate::WorkerServer::repository) returns it. Each call takes a [`Scope`]. A thread
/// outside the scope is `NotFound`, as if it did not exist.
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
    pub(super) server: Arc<ServerState>,
}

impl Repository {
    pub(in crate::server) fn new(server: Arc<ServerState>) -> Self {
        Self { server }
    }

    pub(super) fn place(&self, scope: &Scope) -> Target {
        Target {
            server: Arc::clone(&self.server),
            scope: scope.clone(),
        }
    }

    pub(super) fn list<L: Listed>(&self, scope: &Scope, listed: L) -> List<L> {
        List::new(Arc::clone(&self.server), scope.clone(), listed)
    }

    pub(super) async fn edit(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Vec<Change>, RepositoryError> {
        let editing = self
            .server
            .edit_thread(scope.clone(), thread_id.to_owned(), edit);
        Ok(editing.await?)
    }
}

/// The server and the scope in which something is created.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) server: Arc<ServerState>,
    pub(super) scope: Scope,
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
