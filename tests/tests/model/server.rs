//! The server with its database and its own runtime, so that it can be killed as well as closed.

use crate::agent;
use crate::within;
use dooers::store::SqliteOptions;
use dooers::{Database, ServerError, WorkerConfig, WorkerServer};
use dooers_tests::postgres::shared;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The socket buffer size of small setups.
pub(crate) const SMALL_BUFFER: u32 = 8 * 1024;

/// The `on_busy` policy of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Queue,
    Reject,
    Interrupt,
    Concurrent,
}

/// The setup of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) policy: Policy,
    /// True if threads are visible only to their participants.
    pub(crate) is_private: bool,
    /// True if queues are small, so that slow readers soon fall behind.
    pub(crate) is_small: bool,
}

/// Longer than a server stalls on a busy machine, but short enough to wait for.
const SHORT_LEASE: Duration = Duration::from_secs(2);

/// The database of a server.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    database: Database,
    /// True if several servers can use it at once.
    is_shared: bool,
    /// The directory of the SQLite file, which must outlive the server.
    _directory: Option<TempDir>,
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("worker.db"));
        Self {
            database: Database::Sqlite(options),
            is_shared: false,
            _directory: Some(directory),
        }
    }

    /// Returns `None`, and prints a line, if no database is configured.
    pub(crate) fn postgres() -> Option<Self> {
        Some(Self {
            database: Database::Postgres(shared()?.pool_size(3)),
            is_shared: true,
            _directory: None,
        })
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    worker: WorkerServer,
    serving: JoinHandle<Result<(), ServerError>>,
    runtime: Runtime,
}

impl TestServer {
    pub(crate) async fn start(setup: Setup, database: &TestDatabase) -> Self {
        let mut config = WorkerConfig::new()
            .private_threads(setup.is_private)
            .database(database.database.clone());
        if database.is_shared {
            // Turns of a killed server are taken over when their leases expire.
            config = config.lease(SHORT_LEASE);
        }
        if setup.is_small {
            config = config.limits(|limits| {
                limits.outbound_frames = 4;
                limits.outbound_bytes = 16 * 1024;
            });
        }
        let worker = WorkerServer::new(config);
        let worker = match setup.policy {
            Policy::Queue => worker.agent::<agent::queueing>(),
            Policy::Reject => worker.agent::<agent::rejecting>(),
            Policy::Interrupt => worker.agent::<agent::interrupting>(),
            Policy::Concurrent => worker.agent::<agent::concurrent>(),
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (listens, address) = oneshot::channel();
        let server = worker.clone();
        let serving = runtime.spawn(async move {
            let socket = TcpSocket::new_v4().unwrap();
            if setup.is_small {
                // Accepted connections inherit the buffer of the listener.
                socket.set_send_buffer_size(SMALL_BUFFER).unwrap();
            }
            socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
            let listener = socket.listen(64).unwrap();
            // Closing a server that has not started does nothing, so it starts before its address is
            // known.
            drop(server.router::<()>().await?);
            listens.send(listener.local_addr().unwrap()).unwrap();
            server.serve_on(listener).await
        });
        let Ok(address) = within("the server to listen", address).await else {
            panic!("the server does not start: {:?}", serving.await);
        };
        Self {
            address,
            worker,
            serving,
            runtime,
        }
    }

    /// Starts closing it, as on a signal. Its clients keep reading until they are closed.
    pub(crate) fn begin_close(&self) {
        let worker = self.worker.clone();
        drop(self.runtime.spawn(async move { worker.close().await }));
    }

    /// Waits until it is closed and has released its database.
    pub(crate) async fn closed(self) {
        let Self {
            worker,
            serving,
            runtime,
            ..
        } = self;
        let closing = runtime.spawn({
            let worker = worker.clone();
            async move { worker.close().await }
        });
        within("the server to close", closing).await.unwrap();
        within("the listener to end", serving)
            .await
            .unwrap()
            .unwrap();
        free(worker, runtime).await;
    }

    /// Kills it: all tasks are dropped, and no client is notified.
    pub(crate) async fn crash(self) {
        free(self.worker, self.runtime).await;
    }
}

/// Drops the runtime, which waits for its tasks. Dropping the store waits for pending writes.
async fn free(worker: WorkerServer, runtime: Runtime) {
    let freeing = tokio::task::spawn_blocking(move || {
        drop(runtime);
        drop(worker);
    });
    within("the server to release its database", freeing)
        .await
        .unwrap();
}
