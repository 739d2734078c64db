//! A server without a socket.

use super::builder::TestServerBuilder;
use super::client::TestClient;
use super::patience::Wait;
use super::user::TestUser;
use crate::agent::{Agent, AgentDefinition};
use crate::server::{LocalClient, Served};
use crate::turn::{Ended, EndedTurns};
use crate::{ServerError, WorkerServer};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A server of agents without a socket, for tests. [`connect`](Self::connect) makes clients of it.
///
/// It keeps its conversations in memory, also over a [`restart`](Self::restart). A clone is the same server.
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
    /// Another one after each restart.
    worker: Mutex<WorkerServer>,
    served: Served,
    /// The turns that ended in any of them.
    ended: EndedTurns,
    patience: Duration,
}

impl TestServer {
    /// A server of this agent. Await it, or say before what else it needs.
    pub fn of<A: Agent>() -> TestServerBuilder {
        TestServerBuilder::new().agent::<A>()
    }

    /// The server that a program makes, with its agents and its state, but without a socket and with conversations in
    /// memory. Await it, or say before what is different in the test.
    pub fn start(server: WorkerServer) -> TestServerBuilder {
        TestServerBuilder::of(server)
    }

    pub(super) async fn launch(
        worker: WorkerServer,
        patience: Duration,
    ) -> Result<Self, ServerError> {
        let ended = EndedTurns::default();
        let served = worker.start_recording(&ended).await?;
        Ok(Self(Arc::new(Shared {
            worker: Mutex::new(worker),
            served,
            ended,
            patience,
        })))
    }

    /// A client of this user, connected to the only agent, or to the one that is marked `default`.
    ///
    /// # Panics
    ///
    /// If there are several agents and none is the default, or the server refuses the user or is closed.
    pub async fn connect(&self, user: impl Into<TestUser>) -> TestClient {
        let Some(agent) = self.0.served.default else {
            panic!(
                "the server has several agents, of which none is marked `default`: say which with \
                 `connect_to::<agent>(…)`"
            );
        };
        TestClient::connect(self.clone(), agent, user.into()).await
    }

    /// A client of this user, connected to this agent.
    ///
    /// # Panics
    ///
    /// If the server does not serve the agent, refuses the user, or is closed.
    pub async fn connect_to<A: Agent>(&self, user: impl Into<TestUser>) -> TestClient {
        let name = A::DEFINITION.name();
        let is_served = |agent: &AgentDefinition| agent.name() == name;
        assert!(
            self.0.served.agents.iter().any(is_served),
            "the server does not serve the agent `{name}`: name it with `.agent::<…>()`"
        );
        TestClient::connect(self.clone(), A::DEFINITION, user.into()).await
    }

    /// The server as its program has it: to dispatch messages, to change settings, to cancel runs.
    ///
    /// After a [`restart`](Self::restart) it is another one.
    #[must_use]
    pub fn worker(&self) -> WorkerServer {
        self.lock().clone()
    }

    /// Stops the server, as a new deployment does, and starts it again with the same conversations and settings.
    ///
    /// It waits for no turn, unless its configuration has a `drain_timeout`: what runs ends as interrupted, or is tried
    /// again if the agent says `retry`. What waits is answered after the start. All clients have lost their connections;
    /// [`TestClient::reconnect`] makes new ones.
    ///
    /// # Panics
    ///
    /// If it does not stop, or cannot start.
    pub async fn restart(&self) {
        self.close().await;
        let worker = self.worker().anew();
        *self.lock() = worker.clone();
        if let Err(error) = worker.start_recording(&self.0.ended).await {
            panic!("the server cannot start again: {error}");
        }
    }

    /// Stops the server, as a signal does: clients lose their connections, and nothing of the agents runs any more.
    ///
    /// A test need not call it.
    ///
    /// # Panics
    ///
    /// If it does not stop.
    pub async fn close(&self) {
        let worker = self.worker();
        let mut wait = Wait::new("the server to stop", self.0.patience);
        if let Err(why) = wait.on(worker.close()).await {
            panic!("{why}: a handler blocks its thread");
        }
    }

    pub(super) async fn open(&self, agent: AgentDefinition) -> Result<LocalClient, ServerError> {
        LocalClient::open(&self.worker(), agent).await
    }

    /// How the turn that answers this message ended, if it did.
    pub(super) fn ended(&self, event_id: &str) -> Option<Ended> {
        let ended = self.0.ended.lock();
        // Nothing panics while a lock is held.
        let ended = ended.unwrap_or_else(PoisonError::into_inner);
        ended.get(event_id).cloned()
    }

    pub(super) fn patience(&self) -> Duration {
        self.0.patience
    }

    fn lock(&self) -> MutexGuard<'_, WorkerServer> {
        self.0.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
