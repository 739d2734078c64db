//! The server: its database, and a runtime of its own, so that it can end at once and not only in good order.

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

/// What the system keeps of what a client has not read, where queues are small.
pub(crate) const SMALL_BUFFER: u32 = 8 * 1024;

/// What becomes of a message that comes while its thread is being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Queue,
    Reject,
    Interrupt,
    Concurrent,
}

/// How a server is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) policy: Policy,
    /// Whether a thread is seen only by those who write in it.
    pub(crate) is_private: bool,
    /// Whether queues are so small that who does not read falls behind soon.
    pub(crate) is_small: bool,
}

/// Longer than a busy machine lets a server wait, and not long to wait for.
const SHORT_LEASE: Duration = Duration::from_secs(2);

/// Where a server keeps its conversations.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    database: Database,
    /// Whether several servers could use it at once.
    is_shared: bool,
    /// Of the file, which must outlive the server.
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

    /// None where there is no database; a line says so then.
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
            // What a server was answering that ended at once is taken over when its lease has run out.
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
                // Accepted connections take over what the listener has.
                socket.set_send_buffer_size(SMALL_BUFFER).unwrap();
            }
            socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
            let listener = socket.listen(64).unwrap();
            // To close what has not started yet does nothing, so it is started before anybody knows of it.
            drop(server.router().await?);
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

    /// Begins to close it, as at a signal. Its clients read on until they are told.
    pub(crate) fn begin_close(&self) {
        let worker = self.worker.clone();
        drop(self.runtime.spawn(async move { worker.close().await }));
    }

    /// Waits until it is closed and its database is free.
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

    /// Ends it wherever it stands: every task is dropped where it waits, and nothing is told to anybody.
    pub(crate) async fn crash(self) {
        free(self.worker, self.runtime).await;
    }
}

/// Dropping a runtime waits for its tasks, and dropping the store waits for what is being written.
async fn free(worker: WorkerServer, runtime: Runtime) {
    let freeing = tokio::task::spawn_blocking(move || {
        drop(runtime);
        drop(worker);
    });
    within("the server to let its database go", freeing)
        .await
        .unwrap();
}
