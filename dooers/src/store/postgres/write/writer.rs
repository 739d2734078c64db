//! The task that writes, on its own connection.
//!
//! One task writes for all threads. Operations that wait in the meantime form one batch, and starting a statement costs
//! the database as much as about ten operations. In a measurement, two writers took a fifth longer for sixteen clients,
//! and as long for sixty-four.

use super::batch::{Barrier, Job, QueuedOperation};
use super::batch_writer::BatchWriter;
use super::operations::PgOperation;
use crate::store::StoreError;
use crate::store::outbox::OutboxSwitch;
use crate::store::postgres::PostgresOptions;
use crate::store::postgres::statements::Statements;
use crate::store::sql::RowError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

/// Maximum number of operations that wait for the writer. Further callers wait for room.
const QUEUE: usize = 1024;

/// The task that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` once the writer is closed.
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    /// The lock is held during the wait for the task, so that a second caller of `close` waits, too.
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Connects to the database and starts the task.
    pub(crate) async fn start(
        options: &PostgresOptions,
        sql: Arc<Statements>,
        outbox: OutboxSwitch,
    ) -> Result<Self, RowError> {
        let session = BatchWriter::start(options, sql, outbox).await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            task: tokio::sync::Mutex::new(Some(tokio::spawn(session.write_all(jobs)))),
        })
    }

    /// Executes an operation. Once it is in the queue, it is executed even if the caller stops waiting.
    pub(crate) async fn run<O: PgOperation>(&self, operation: O) -> Result<O::Answer, StoreError> {
        let (waiting, answer) = QueuedOperation::new(operation);
        self.enqueue(Box::new(waiting), answer, O::WHAT).await
    }

    /// Waits until the writer has a connection, and knows the outcome of every earlier statement.
    pub(crate) async fn settled(&self) -> Result<(), StoreError> {
        let (barrier, answer) = Barrier::new();
        self.enqueue(Box::new(barrier), answer, Barrier::WHAT).await
    }

    async fn enqueue<T>(
        &self,
        job: Box<dyn Job>,
        answer: oneshot::Receiver<Result<T, StoreError>>,
        what: &'static str,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::Failed {
            what,
            source: "the store is closed".into(),
        };
        let queue = unpoisoned(&self.queue).clone().ok_or_else(closed)?;
        queue.send(job).await.map_err(|_| closed())?;
        drop(queue);
        answer.await.map_err(|_| closed())?
    }

    /// Waits until all operations that have begun are written. If the caller stops waiting, because the database does
    /// not answer, the remaining operations are dropped. Their callers receive the error that the store is closed.
    pub(crate) async fn close(&self) {
        unpoisoned(&self.queue).take();
        let mut task = self.task.lock().await;
        if let Some(task) = task.take() {
            // The task does not panic. If it did, the database would clean up after the connection.
            let _ = AbortOnDropHandle::new(task).await;
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The values are consistent after a panic, because nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
