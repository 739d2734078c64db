//! The server inside of a handler.

use super::dispatch::Dispatch;
use super::error::ServerError;
use super::repository::{Broadcast, Repository};
use super::server_state::ServerState;
use super::worker::WorkerServer;
use crate::AgentError;
use crate::auth::Identity;
use crate::handler::{Agent, FromTurn, Turn, WorkerRequest};
use crate::protocol::User;
use crate::store::Scope;
use std::sync::{Arc, Weak};

/// A handler's argument: the server that runs the turn. It sends messages to other agents, reads and changes
/// conversations, and publishes events in other threads.
///
/// Everything happens in the place of the turn: its worker, organization and workspace. Messages are sent on behalf of
/// the turn's user. The handle is weak, so keeping it keeps neither the server nor its store alive. After the server was
/// closed, everything that needs it returns [`ServerError::Closed`].
///
/// ```
/// use dooers::prelude::*;
/// use dooers::Database;
///
/// /// Answers questions about money.
/// #[dooers::agent]
/// async fn billing(request: WorkerRequest) -> String {
///     format!("Billing has read: {}", request.message)
/// }
///
/// /// Asks the other agent.
/// #[dooers::agent(default)]
/// async fn front_desk(request: WorkerRequest, server: TurnServer) -> Result<String> {
///     let answer = server.dispatch::<billing>().message(request.message).send().await?;
///     Ok(answer.text().await?)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let config = WorkerConfig::new().database(Database::Memory);
/// let server = WorkerServer::new(config).agent::<billing>().agent::<front_desk>();
/// let turn = server.dispatch::<front_desk>().worker("w1").message("my bill").send().await?;
/// assert_eq!(turn.text().await?, "Billing has read: my bill");
/// # server.close().await;
/// # Ok(())
/// # }
/// ```
///
/// # Other places
///
/// A repository or broadcast of the handle refuses each scope outside the worker, organization and workspace of the turn
/// with [`RepositoryError::OutsideTurn`](crate::repository::RepositoryError::OutsideTurn), so that a mistake in a scope does
/// not read or change the conversations of another tenant. [`Repository::everywhere`] and [`Broadcast::everywhere`] lift the
/// confinement. A dispatch goes elsewhere only if [`Dispatch::worker`], [`organization`](Dispatch::organization) or
/// [`workspace`](Dispatch::workspace) sets another place.
///
/// # Retries
///
/// Each attempt of a turn sends its messages again. An [`idempotency_key`](Dispatch::idempotency_key) that is derived from the
/// message of the turn prevents that:
///
/// ```
/// use dooers::prelude::*;
///
/// /// Orders once, although it may be retried.
/// #[dooers::agent(retry = 3)]
/// async fn orders(request: WorkerRequest, server: TurnServer) -> Result<String> {
///     let order = server.dispatch_to("warehouse").message(request.message);
///     let turn = order.idempotency_key(format!("order of {}", request.event_id)).send().await?;
///     Ok(turn.text().await?)
/// }
/// ```
///
/// # The turn's own thread
///
/// A message that a turn dispatches into its own thread is treated like any other message of the thread, by the
/// `on_busy` option of the agent. With `"queue"`, the default, `send` returns at once and the message is answered after
/// the turn has ended. The turn must therefore not wait for the answer, because it would wait for itself until its
/// `timeout`, or forever without one. The same applies to a message to an agent that waits for this turn. With
/// `"interrupt"`, the turn cancels itself. With `"reject"`, `send` fails with
/// [`DispatchError::Busy`](crate::DispatchError::Busy). With `"concurrent"`, the turn can wait for the answer.
///
/// A thread belongs to one agent. A message to another agent opens a thread of that agent.
///
/// A message to a [private](macro@crate::agent#private-threads) thread of an anonymous user fails with
/// [`DispatchError::NotFound`](crate::DispatchError::NotFound).
///
/// # Unit tests
///
/// [`TurnServer::detached`] belongs to no server, and everything that needs one fails with
/// [`ServerError::Detached`]. [`WorkerServer::turn_server`](crate::WorkerServer::turn_server) returns the handle of a
/// real server, for example of one in memory.
#[derive(Debug, Clone)]
pub struct TurnServer {
    /// `None` if the handle is detached.
    server: Option<WeakServer>,
    scope: Scope,
    user: User,
    /// The identity of the user, if an authenticator has confirmed it.
    identity: Option<Identity>,
}

/// A running server, as the turns of the server find it among their states.
#[derive(Debug, Clone)]
pub(super) struct WeakServer(pub(super) Weak<ServerState>);

impl TurnServer {
    /// Creates a handle without a server, for unit tests of handlers that do not use the server.
    #[must_use]
    pub fn detached() -> Self {
        Self {
            server: None,
            scope: Scope::new("", ""),
            user: User::new(""),
            identity: None,
        }
    }

    pub(super) fn of(server: WeakServer, agent: &str, request: &WorkerRequest) -> Self {
        Self {
            server: Some(server),
            scope: Scope::new(agent, &request.thread.worker_id)
                .organization(&request.organization_id)
                .workspace(&request.workspace_id),
            user: request.user.clone(),
            identity: request.confirmed_identity().cloned(),
        }
    }

    /// Creates a message to one of the server's agents, in the worker, organization and workspace of the turn, and on
    /// behalf of its user. The methods of [`Dispatch`] change all of these.
    ///
    /// `send` fails with [`DispatchError::Server`](crate::DispatchError::Server) if the server was closed.
    pub fn dispatch<A: Agent>(&self) -> Dispatch {
        self.dispatch_to(A::DEFINITION.name())
    }

    /// Creates a message like [`dispatch`](Self::dispatch), to the agent with this name.
    pub fn dispatch_to(&self, agent: impl Into<String>) -> Dispatch {
        let server = self.server.as_ref().map(|server| server.0.clone());
        let scope = self.scope_of_named(agent);
        Dispatch::in_turn(server, scope, self.user.clone(), self.identity.clone())
    }

    /// The conversations of the turn's agent, in the worker, organization and workspace of the turn: the threads of all
    /// users, also if the agent's threads are private. [`Scope::only_user`] restricts it to the threads of one user.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope.clone()
    }

    /// The conversations of another agent, in the worker, organization and workspace of the turn.
    #[must_use]
    pub fn scope_of<A: Agent>(&self) -> Scope {
        self.scope_of_named(A::DEFINITION.name())
    }

    /// The same as [`scope_of`](Self::scope_of), for the agent with this name.
    #[must_use]
    pub fn scope_of_named(&self, agent: impl Into<String>) -> Scope {
        Scope {
            agent: agent.into(),
            ..self.scope.clone()
        }
    }

    /// The conversations and settings in the worker, organization and workspace of the turn. Use it with
    /// [`scope`](Self::scope) and [`scope_of`](Self::scope_of). The server stays in memory while the handler holds the
    /// repository.
    ///
    /// ```
    /// use dooers::prelude::*;
    ///
    /// /// Counts the threads of the worker.
    /// #[dooers::agent]
    /// async fn counter(server: TurnServer) -> Result<String> {
    ///     let threads = server.repository()?.threads(&server.scope()).await?;
    ///     Ok(format!("{} threads", threads.items.len()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServerError::Closed`] after the program has closed the server; [`ServerError::Detached`] in a unit test without a
    /// server.
    pub fn repository(&self) -> Result<Repository, ServerError> {
        let server = self.server.as_ref().ok_or(ServerError::Detached)?;
        Ok(Repository::within(server.upgrade()?, self.scope()))
    }

    /// A [`Broadcast`], which publishes events in other threads of the same place without a turn. Use it with
    /// [`scope`](Self::scope) and [`scope_of`](Self::scope_of).
    ///
    /// # Errors
    ///
    /// The same as [`repository`](Self::repository).
    pub fn broadcast(&self) -> Result<Broadcast, ServerError> {
        Ok(Broadcast::new(self.repository()?))
    }
}

impl WeakServer {
    fn upgrade(&self) -> Result<Arc<ServerState>, ServerError> {
        let server = self.0.upgrade().ok_or(ServerError::Closed)?;
        // The store is open until then, for handlers that finish their work while the server stops.
        if server.abandoned.is_cancelled() {
            return Err(ServerError::Closed);
        }
        Ok(server)
    }
}

impl WorkerServer {
    /// The handle that a handler of this agent gets with this request, for unit tests of the handler.
    ///
    /// This starts the server if it has not started yet.
    ///
    /// ```
    /// use dooers::prelude::*;
    /// use dooers::Database;
    ///
    /// /// Opens a ticket.
    /// #[dooers::agent]
    /// async fn support(server: TurnServer) -> Result<()> {
    ///     server.repository()?.create_thread(&server.scope()).id("ticket-1").await?;
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let server = WorkerServer::new(WorkerConfig::new().database(Database::Memory)).agent::<support>();
    /// let mut request = WorkerRequest::new("It broke");
    /// request.thread.worker_id = "w1".to_owned();
    /// let handle = server.turn_server::<support>(&request).await?;
    /// support(handle.clone()).await?;
    /// assert!(handle.repository()?.thread(&handle.scope(), "ticket-1").await.is_ok());
    /// # server.close().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start.
    pub async fn turn_server<A: Agent>(
        &self,
        request: &WorkerRequest,
    ) -> Result<TurnServer, ServerError> {
        self.turn_server_named(A::DEFINITION.name(), request).await
    }

    /// The same as [`turn_server`](Self::turn_server), for the agent with this name.
    ///
    /// # Errors
    ///
    /// [`ServerError`], if the server cannot start.
    pub async fn turn_server_named(
        &self,
        agent: &str,
        request: &WorkerRequest,
    ) -> Result<TurnServer, ServerError> {
        let server = WeakServer(Arc::downgrade(&self.start().await?));
        Ok(TurnServer::of(server, agent, request))
    }
}

/// A unit test that creates the turn itself passes the handle to [`Turn::with_state`]. Without it, the argument fails
/// with an error that says so.
// The compiler lists at most eight types when it explains what a handler can take.
#[diagnostic::do_not_recommend]
impl FromTurn for TurnServer {
    async fn from_turn(turn: &Turn) -> Result<Self, AgentError> {
        // The turn's own server comes first: a program may keep the handle of another server as a state.
        if let (Some(server), Some(worker)) = (turn.state::<WeakServer>(), turn.worker()) {
            return Ok(Self::of(server, &worker.agent, turn.request()));
        }
        turn.state::<Self>().ok_or_else(|| {
            "the turn has no server, because the program created it with `Turn::new`; pass \
             `TurnServer::detached()`, or the handle that `WorkerServer::turn_server` returns, to \
             `Turn::with_state`"
                .into()
        })
    }
}
