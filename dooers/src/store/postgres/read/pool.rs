//! The pool of connections that read.
//!
//! When a connection is returned, the pool of sqlx checks it with a request to the server, and waits for the answer
//! without a limit. Here each step that talks to the server has a limit, and a connection that did not answer is
//! dropped at once.

use crate::store::postgres::connect::connection::{DriverOptions, connect};
use crate::store::postgres::connect::limit::Limit;
use crate::store::postgres::connect::statement::execute_script;
use sqlx::{Connection, PgConnection};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// Maximum time for which an idle connection is kept.
const LONGEST_IDLE: Duration = Duration::from_secs(10 * 60);

/// Maximum age of a connection. Servers release some of a connection's memory only when the connection ends.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// The connections that read.
#[derive(Debug)]
pub(crate) struct Pool(Arc<PoolShared>);

#[derive(Debug)]
struct PoolShared {
    connect: DriverOptions,
    connecting: Limit,
    /// The limit for steps that end a transaction or a connection.
    tidying: Limit,
    size: u32,
    /// One permit for each connection that may be opened or lent.
    room: Arc<Semaphore>,
    /// The idle connections. The most recently used one is last.
    idle: Mutex<Vec<Idle>>,
    is_closed: AtomicBool,
    /// Tasks that return and close connections.
    tasks: TaskTracker,
}

/// An idle connection.
#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    made: Instant,
    since: Instant,
}

impl Pool {
    /// Creates a pool, which opens connections on demand.
    pub(crate) fn new(
        connect: DriverOptions,
        size: u32,
        connecting: Limit,
        tidying: Limit,
    ) -> Self {
        Self(Arc::new(PoolShared {
            connect,
            connecting,
            tidying,
            size,
            room: Arc::new(Semaphore::new(size as usize)),
            idle: Mutex::default(),
            is_closed: AtomicBool::new(false),
            tasks: TaskTracker::new(),
        }))
    }

    /// Borrows a connection. Waits for it until `end` at most.
    pub(crate) async fn acquire(&self, end: Instant) -> Result<Lent, sqlx::Error> {
        let waiting = Arc::clone(&self.0.room).acquire_owned();
        let end = self.0.connecting.until(end).end();
        let permit = tokio::time::timeout_at(end, waiting).await;
        // All connections are in use.
        let permit = permit.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        if self.0.is_closed() {
            return Err(sqlx::Error::PoolClosed);
        }
        if let Some(idle) = self.0.take_idle() {
            return Ok(self.lend(idle.connection, idle.made, permit));
        }
        let connection = connect(&self.0.connect, self.0.connecting.until(end)).await?;
        Ok(self.lend(connection, Instant::now(), permit))
    }

    /// Borrows an idle connection, if there is one.
    pub(crate) fn try_acquire(&self) -> Option<Lent> {
        let permit = Arc::clone(&self.0.room).try_acquire_owned().ok()?;
        let idle = self.0.take_idle()?;
        Some(self.lend(idle.connection, idle.made, permit))
    }

    fn lend(&self, connection: PgConnection, made: Instant, permit: OwnedSemaphorePermit) -> Lent {
        Lent {
            pool: Arc::clone(&self.0),
            connection: Some(connection),
            made,
            state: PoolState::Ready,
            permit: Some(permit),
        }
    }

    /// Drops the idle connections. If one connection was lost, the others are usually lost, too.
    pub(crate) fn drop_idle(&self) {
        self.0.idle().clear();
    }

    /// Waits until all connections are returned, and closes them. No connection can be borrowed from now on.
    pub(crate) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        // Borrowed connections are returned in time, because their steps have limits.
        let all = self.0.room.acquire_many(self.0.size).await;
        for idle in std::mem::take(&mut *self.0.idle()) {
            self.0.end(idle.connection);
        }
        self.0.room.close();
        drop(all);
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl PoolShared {
    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // The list is consistent after a panic, because nothing panics while it holds this lock.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes and returns the most recently used idle connection. Closes connections that are too old.
    fn take_idle(self: &Arc<Self>) -> Option<Idle> {
        let mut idle = self.idle();
        let is_old = |idle: &mut Idle| {
            idle.since.elapsed() > LONGEST_IDLE || idle.made.elapsed() > LONGEST_LIFE
        };
        let old: Vec<Idle> = idle.extract_if(.., is_old).collect();
        let newest = idle.pop();
        drop(idle);
        for old in old {
            self.end(old.connection);
        }
        newest
    }

    fn release(self: &Arc<Self>, connection: PgConnection, made: Instant) {
        if self.is_closed() {
            return self.end(connection);
        }
        self.idle().push(Idle {
            connection,
            made,
            since: Instant::now(),
        });
    }

    /// Closes a connection properly, in a task.
    fn end(&self, connection: PgConnection) {
        let limit = self.tidying;
        self.spawn(async move {
            // A server that does not answer notices the lost connection by itself.
            let _ = limit.on(connection.close()).await;
        });
    }

    /// Spawns a task, unless the runtime has ended.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = Handle::try_current() {
            self.tasks.spawn_on(work, &runtime);
        }
    }
}

/// A borrowed connection. It returns to its pool when it is dropped, unless the database did not answer.
#[derive(Debug)]
pub(crate) struct Lent {
    pool: Arc<PoolShared>,
    connection: Option<PgConnection>,
    made: Instant,
    state: PoolState,
    permit: Option<OwnedSemaphorePermit>,
}

/// The state of a borrowed connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PoolState {
    /// The connection may be used.
    Ready,
    /// The transaction must end before the connection is lent again.
    InTransaction,
    /// An answer is missing, or was an error. The connection is not used again.
    Unanswered,
}

impl Lent {
    /// Executes one step on the connection. The connection stays usable only if the step succeeds.
    pub(crate) async fn step<T>(
        &mut self,
        step: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let before = std::mem::replace(&mut self.state, PoolState::Unanswered);
        let (Some(connection), PoolState::Ready | PoolState::InTransaction) =
            (&mut self.connection, before)
        else {
            return Err(sqlx::Error::WorkerCrashed);
        };
        let done = step(connection).await?;
        self.state = before;
        Ok(done)
    }

    /// Begins a transaction, which ends when this is dropped.
    pub(crate) async fn begin(
        &mut self,
        begin: &Arc<str>,
        limit: Limit,
    ) -> Result<(), sqlx::Error> {
        self.step(async |connection| limit.on(execute_script(connection, begin)).await)
            .await?;
        self.state = PoolState::InTransaction;
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        match self.state {
            PoolState::Ready => self.pool.release(connection, self.made),
            PoolState::InTransaction => {
                let (pool, made, permit) = (Arc::clone(&self.pool), self.made, self.permit.take());
                self.pool.spawn(async move {
                    let end = "ROLLBACK".into();
                    let ended = pool.tidying.on(execute_script(&mut connection, &end));
                    if ended.await.is_ok() {
                        pool.release(connection, made);
                    }
                    drop(permit);
                });
            }
            PoolState::Unanswered => {}
        }
    }
}
