//! What a test's server is made of.

use super::patience::PATIENCE;
use super::server::TestServer;
use crate::store::MemoryStore;
use crate::{Agent, Database, SettingsSchema, WorkerConfig, WorkerServer};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// A [`TestServer`] that is not started yet: awaiting it starts it.
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
    patience: Duration,
}

impl TestServerBuilder {
    pub(super) fn new() -> Self {
        Self::of(WorkerServer::new(WorkerConfig::new()))
    }

    /// A server of the same program as this one, which may have been started.
    pub(super) fn of(worker: WorkerServer) -> Self {
        let in_memory = Database::Custom(Arc::new(MemoryStore::new()));
        Self {
            worker: worker.anew(),
            patience: PATIENCE,
        }
        .database(in_memory)
        .config(|config| config.drain_timeout(Duration::ZERO))
    }

    /// Serves this agent too: see [`WorkerServer::agent`].
    pub fn agent<A: Agent>(self) -> Self {
        self.server(WorkerServer::agent::<A>)
    }

    /// Gives the handlers a value: see [`WorkerServer::state`].
    pub fn state<S: Clone + Send + Sync + 'static>(self, state: S) -> Self {
        self.server(|server| server.state(state))
    }

    /// Gives an agent settings whose fields are known only at run time: see [`WorkerServer::settings_schema`].
    pub fn settings_schema<A: Agent>(self, schema: SettingsSchema) -> Self {
        self.server(|server| server.settings_schema::<A>(schema))
    }

    /// Changes the server itself.
    pub fn server(self, change: impl FnOnce(WorkerServer) -> WorkerServer) -> Self {
        Self {
            worker: change(self.worker),
            ..self
        }
    }

    /// Changes the configuration. It is that of the program, but conversations are in memory, and a server that stops
    /// waits for no turn.
    pub fn config(self, change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> Self {
        self.server(|server| server.configure(change))
    }

    /// Keeps conversations there instead of in memory.
    ///
    /// A [`Database::Custom`] must be one that can still be used after it was closed if the test restarts the server. With
    /// a paused clock only memory will do: tokio takes the wait for a disk for idleness, and lets the clock go on.
    pub fn database(self, database: Database) -> Self {
        self.config(|config| config.database(database))
    }

    /// Gives the server a key, as `WORKER_SECRET_KEY` does: for agents with secret settings, or forms with password fields.
    /// All test servers have the same one, so that several can share a database.
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

    /// How long a test waits for anything before it fails, in real time, also with a paused clock. 10 s unless told.
    pub fn patience(self, at_most: Duration) -> Self {
        Self {
            patience: at_most,
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
            match TestServer::launch(self.worker, self.patience).await {
                Ok(server) => server,
                Err(error) => panic!("the server cannot start: {error}"),
            }
        }
        .boxed()
    }
}
