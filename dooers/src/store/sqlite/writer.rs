//! The thread that writes.

use super::batch::{Job, QueuedOperation, SqliteOperation, commit, refuse};
use super::database::WriterDatabase;
use super::lock::DatabaseLock;
use super::watch::{OFTEN, SOON};
use crate::store::StoreError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Maximum number of operations in a commit.
const BATCH: usize = 256;

/// Maximum number of operations that wait for the writer. Further callers wait for room.
const QUEUE: usize = 1024;

/// The thread that writes. All operations that wait when a commit ends share the next commit.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` once the writer is closed.
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    /// `None` once the writer is closed. A later drop does not wait for the thread.
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Fires when the thread has closed the database.
    ended: CancellationToken,
    commits: Arc<AtomicU64>,
    /// `true` if there are no other connections when the thread ends.
    is_last: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread. The lock is released when it ends.
    pub(super) fn start(database: WriterDatabase, mut lock: DatabaseLock) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        // The thread has its own runtime for its timer, because tests may pause the time of the program's runtime.
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let is_last = Arc::new(AtomicBool::new(false));
        let is_last_then = Arc::clone(&is_last);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        let ended = CancellationToken::new();
        let ends = ended.clone().drop_guard();
        let thread = Builder::new()
            .name("dooers-sqlite".to_owned())
            .spawn(move || {
                runtime.block_on(write_all(&database, jobs, &counter));
                database.close();
                lock.may_be_outlived(!is_last_then.load(Ordering::Relaxed));
                drop(lock);
                drop(ends);
            })?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            ended,
            commits,
            is_last,
        })
    }

    /// Executes an operation. Once it is in the queue, it is executed even if the caller stops waiting.
    pub(super) async fn run<O: SqliteOperation>(
        &self,
        operation: O,
    ) -> Result<O::Answer, StoreError> {
        let closed = || StoreError::Failed {
            what: O::WHAT,
            source: "the store is closed".into(),
        };
        let queue = unpoisoned(&self.queue).clone().ok_or_else(closed)?;
        let (waiting, answer) = QueuedOperation::new(operation);
        queue.send(Box::new(waiting)).await.map_err(|_| closed())?;
        drop(queue);
        answer.await.map_err(|_| closed())?
    }

    /// Returns the number of commits.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Waits until all operations that have begun are written and the database is closed. The readers must already be
    /// closed.
    pub(super) async fn close(&self) {
        self.is_last.store(true, Ordering::Relaxed);
        self.stop();
        let thread = unpoisoned(&self.thread).take();
        // Does not join the thread, so that the caller may stop waiting if the disk does not answer.
        self.ended.cancelled().await;
        if thread.is_some() {
            tracing::debug!(target: "dooers::store", commits = self.commits(), "closed");
        }
    }

    /// Closes the queue. The thread ends after the operations that are already in it.
    fn stop(&self) {
        unpoisoned(&self.queue).take();
    }
}

impl Drop for Writer {
    /// Waits for the thread, so that the database is free for the next store.
    fn drop(&mut self) {
        self.stop();
        let thread = unpoisoned(&self.thread).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

async fn write_all(
    database: &WriterDatabase,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    commits: &AtomicU64,
) {
    let watch = Arc::clone(&database.watch);
    let mut batch = Vec::with_capacity(BATCH);
    let mut looked = Instant::now();
    let mut ticks = interval(OFTEN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            received = jobs.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    return;
                }
                if looked.elapsed() >= SOON {
                    watch.look();
                    looked = Instant::now();
                }
                if let Some(gone) = watch.refusal() {
                    refuse(&mut batch, &gone.into());
                    continue;
                }
                let made = commit(database, &mut batch);
                commits.fetch_add(made, Ordering::Relaxed);
                tracing::trace!(target: "dooers::store", operations = received, commits = made, "committed");
            }
            _ = ticks.tick() => {
                watch.look();
                looked = Instant::now();
                if watch.is_gone() {
                    // A moved file then contains everything that was acknowledged.
                    database.save_log();
                    continue;
                }
                if watch.is_full() {
                    database.probe();
                }
                database.tidy_log();
            }
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The values are consistent after a panic, because nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
