//! A server without a socket.

use super::builder::TestServerBuilder;
use super::client::TestClient;
use super::timeout::Wait;
use super::user::TestUser;
use crate::handler::{Agent, AgentDefinition};
use crate::server::{LocalClient, Served};
use crate::turn::{EndedTurns, TurnRecord};
use crate::{ServerError, WorkerServer};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A server of agents for tests, without a socket. [`connect`](Self::connect) creates its clients.
///
/// It stores conversations in memory and keeps them across a [`restart`](Self::restart). A clone is the same server.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::testing::TestServer;
///
/// /// Greets.
/// #[dooers::agent]
/// async fn greeter(request: WorkerRequest) -> String {
///     format!("Hello, {}!", request.message)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = TestServer::of::<greeter>().await;
/// let mut ada = server.connect("ada").await;
/// ada.say("Ada").await.assert_text("Hello, Ada!");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TestServer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The current server. A restart replaces it.
    worker: Mutex<WorkerServer>,
    served: Served,
    /// The turns that ended, on the current server and on those before it.
    ended: EndedTurns,
    timeout: Duration,
}

impl TestServer {
    /// Creates a builder of a server with this agent. Awaiting the builder starts the server.
    pub fn of<A: Agent>() -> TestServerBuilder {
        TestServerBuilder::new().agent::<A>()
    }

    /// Creates a builder from a program's server, with its agents and its state, but without a socket and with
    /// conversations in memory. Awaiting the builder starts the server.
    pub fn start(server: WorkerServer) -> TestServerBuilder {
        TestServerBuilder::of(server)
    }

    pub(super) async fn launch(
        worker: WorkerServer,
        timeout: Duration,
    ) -> Result<Self, ServerError> {
        let ended = EndedTurns::default();
        let served = worker.start_recording(&ended).await?;
        Ok(Self(Arc::new(Shared {
            worker: Mutex::new(worker),
            served,
            ended,
            timeout,
        })))
    }

    /// Connects a client of this user to the only agent, or to the agent that is marked `default`.
    ///
    /// # Panics
    ///
    /// If there are several agents and none of them is the default, or if the server refuses the user or is closed.
    pub async fn connect(&self, user: impl Into<TestUser>) -> TestClient {
        let Some(agent) = self.0.served.default.clone() else {
            panic!(
                "the server has several agents, and none of them is marked `default`: name one with \
                 `connect_to::<agent>(…)`"
            );
        };
        TestClient::connect(self.clone(), agent, user.into()).await
    }

    /// Connects a client of this user to this agent.
    ///
    /// # Panics
    ///
    /// If the server does not serve the agent, refuses the user, or is closed.
    pub async fn connect_to<A: Agent>(&self, user: impl Into<TestUser>) -> TestClient {
        self.connect_to_named(A::DEFINITION.name(), user).await
    }

    /// Connects a client of this user to the agent with this name, for agents that are made at run time.
    ///
    /// # Panics
    ///
    /// If the server does not serve the agent, refuses the user, or is closed.
    pub async fn connect_to_named(&self, name: &str, user: impl Into<TestUser>) -> TestClient {
        let mut agents = self.0.served.agents.iter();
        let Some(agent) = agents.find(|agent| agent.name() == name) else {
            panic!("the server does not serve the agent `{name}`: name it with `.agent::<…>()`");
        };
        TestClient::connect(self.clone(), agent.clone(), user.into()).await
    }

    /// The server as the program uses it: to dispatch messages, change settings or cancel runs.
    ///
    /// After a [`restart`](Self::restart) it is a different server.
    #[must_use]
    pub fn worker(&self) -> WorkerServer {
        self.lock().clone()
    }

    /// Stops the server, as a deployment does, and starts it again with the same conversations and settings.
    ///
    /// The server does not wait for turns, unless its configuration sets a `drain_timeout`. Running turns end as
    /// interrupted, or are retried if the agent sets `retry`. Queued turns run after the start. All clients lose their
    /// connections, and [`TestClient::reconnect`] connects them again.
    ///
    /// # Panics
    ///
    /// If the server does not stop, or cannot start.
    pub async fn restart(&self) {
        self.close().await;
        let worker = self.worker().anew();
        *self.lock() = worker.clone();
        if let Err(error) = worker.start_recording(&self.0.ended).await {
            panic!("the server cannot start again: {error}");
        }
    }

    /// Stops the server, as a signal does. Clients lose their connections, and no agent runs any more.
    ///
    /// Tests do not have to call this.
    ///
    /// # Panics
    ///
    /// If the server does not stop.
    pub async fn close(&self) {
        let worker = self.worker();
        let mut wait = Wait::new("the server to stop", self.0.timeout);
        if let Err(why) = wait.on(worker.close()).await {
            panic!("{why}: a handler blocks its thread");
        }
    }

    pub(super) async fn open(&self, agent: AgentDefinition) -> Result<LocalClient, ServerError> {
        LocalClient::open(&self.worker(), agent).await
    }

    /// The record of the turn that answers this message. It is empty while the turn runs.
    pub(super) fn record(&self, event_id: &str) -> TurnRecord {
        let ended = self.0.ended.lock();
        // No code panics while it holds the lock.
        let ended = ended.unwrap_or_else(PoisonError::into_inner);
        ended.get(event_id).cloned().unwrap_or_default()
    }

    pub(super) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    fn lock(&self) -> MutexGuard<'_, WorkerServer> {
        self.0.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
