//! The builder of a test server.

use super::server::TestServer;
use super::timeout::DEFAULT_TIMEOUT;
use crate::settings::SettingsSchema;
use crate::store::MemoryStore;
use crate::{Agent, Database, WorkerConfig, WorkerServer};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// A builder of a [`TestServer`]. Awaiting it starts the server.
///
/// ```
/// # use dooers::prelude::*;
/// # use dooers::testing::{FakeModel, TestServer};
/// # #[dooers::agent]
/// # async fn support(State(model): State<FakeModel>) {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = TestServer::of::<support>()
///     .state(FakeModel::new().reply("Hello!"))
///     .config(|config| config.private_threads(true))
///     .await;
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the server starts when this is awaited"]
pub struct TestServerBuilder {
    worker: WorkerServer,
    timeout: Duration,
}

impl TestServerBuilder {
    pub(super) fn new() -> Self {
        Self::of(WorkerServer::new(WorkerConfig::new()))
    }

    /// A server with the agents and the state of this program, which may already have been started.
    pub(super) fn of(worker: WorkerServer) -> Self {
        let in_memory = Database::Custom(Arc::new(MemoryStore::new()));
        Self {
            worker: worker.anew(),
            timeout: DEFAULT_TIMEOUT,
        }
        .database(in_memory)
        .config(|config| config.drain_timeout(Duration::ZERO))
    }

    /// Adds an agent: see [`WorkerServer::agent`].
    pub fn agent<A: Agent>(self) -> Self {
        self.server(WorkerServer::agent::<A>)
    }

    /// Adds a value for handlers: see [`WorkerServer::state`]. It replaces a value of the same type that the program has
    /// added.
    pub fn state<S: Clone + Send + Sync + 'static>(self, state: S) -> Self {
        self.server(|server| server.state(state))
    }

    /// Sets the settings of an agent whose fields are known only at run time: see [`WorkerServer::settings_schema`].
    /// It replaces the schema that the program has set.
    pub fn settings_schema<A: Agent>(self, schema: SettingsSchema) -> Self {
        self.server(|server| server.settings_schema::<A>(schema))
    }

    /// Changes the [`WorkerServer`].
    pub fn server(self, change: impl FnOnce(WorkerServer) -> WorkerServer) -> Self {
        Self {
            worker: change(self.worker),
            ..self
        }
    }

    /// Changes the configuration. It starts as the configuration of the program, with two differences: conversations
    /// are in memory, and a server that stops does not wait for turns.
    pub fn config(self, change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> Self {
        self.server(|server| server.configure(change))
    }

    /// Stores conversations in this database instead of in memory.
    ///
    /// If the test restarts the server, a [`Database::Custom`] must remain usable after it was closed. With a paused
    /// clock, only memory works: tokio treats waiting for a disk as idle time and advances the clock.
    pub fn database(self, database: Database) -> Self {
        self.config(|config| config.database(database))
    }

    /// Sets a key, as `WORKER_SECRET_KEY` does. Agents with secret settings, and forms with password fields, need it.
    /// All test servers have the same key, so that several servers can share a database.
    ///
    /// # Panics
    ///
    /// Never: the key is a constant.
    #[expect(clippy::expect_used, reason = "the key is a constant")]
    pub fn secret_key(self) -> Self {
        const KEY: &str = "dGhlIGtleSBvZiBldmVyeSBkb29lcnMgdGVzdCAuLi4=";
        let keys = KEY.parse().expect("32 bytes in base64");
        self.config(|config| config.secret_keys(keys))
    }

    /// Sets how long a test waits for anything before it fails. This is real time, even with a paused clock. The
    /// default is 10 s.
    pub fn timeout(self, at_most: Duration) -> Self {
        Self {
            timeout: at_most,
            ..self
        }
    }
}

impl IntoFuture for TestServerBuilder {
    type Output = TestServer;
    type IntoFuture = BoxFuture<'static, TestServer>;

    /// # Panics
    ///
    /// If the server cannot start.
    fn into_future(self) -> Self::IntoFuture {
        async move {
            match TestServer::launch(self.worker, self.timeout).await {
                Ok(server) => server,
                Err(error) => panic!("the server cannot start: {error}"),
            }
        }
        .boxed()
    }
}
