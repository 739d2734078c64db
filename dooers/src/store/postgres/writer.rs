//! The task that writes, on a connection of its own.
//!
//! One, and not several that share the threads: what waits meanwhile is one batch, and to begin a statement costs the database as
//! much as some ten operations. Two took a fifth longer for sixteen clients, and were as fast for sixty-four.

use super::PostgresOptions;
use super::batch::{Barrier, Job, Waiting};
use super::operations::Operation;
use super::session::Session;
use super::statements::Statements;
use crate::store::StoreError;
use crate::store::sql::RowError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;

/// So many operations wait for the writer before callers have to wait for room.
const QUEUE: usize = 1024;

/// The task that writes.
#[derive(Debug)]
pub(super) struct Writer {
    /// None once it is closed.
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    /// Held while it is waited for, so that another caller that closes waits, too.
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Connects, and starts the task.
    pub(super) async fn start(
        options: &PostgresOptions,
        sql: Arc<Statements>,
    ) -> Result<Self, RowError> {
        let session = Session::start(options, sql).await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            task: tokio::sync::Mutex::new(Some(tokio::spawn(session.write_all(jobs)))),
        })
    }

    /// Does an operation. Once this has begun to wait for the answer, the operation is done even if nobody waits for
    /// it any more.
    pub(super) async fn run<O: Operation>(&self, operation: O) -> Result<O::Answer, StoreError> {
        let (waiting, answer) = Waiting::new(operation);
        self.enqueue(Box::new(waiting), answer, O::WHAT).await
    }

    /// Waits until the writer has a connection, and with it the outcome of every statement before.
    pub(super) async fn settled(&self) -> Result<(), StoreError> {
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

    /// Waits until all that was begun is written. If the caller stops waiting, as the database does not answer, what is
    /// left is dropped; callers hear that the store is closed.
    pub(super) async fn close(&self) {
        unpoisoned(&self.queue).take();
        let mut task = self.task.lock().await;
        if let Some(task) = task.take() {
            // The task cannot panic; if it does, the database tidies up behind it.
            let _ = AbortOnDropHandle::new(task).await;
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
