//! The tasks that write, each on a connection of its own.
//!
//! The operations of a thread are all done by the same one, in their order. Several keep the database busy while one waits for the
//! disk or prepares what comes next; that they meet in the same thread is as rare as that two processes do, and as harmless.

use super::PostgresOptions;
use super::batch::{Job, Waiting};
use super::operations::Operation;
use super::session::Session;
use super::statements::Statements;
use crate::store::StoreError;
use crate::store::sql::RowError;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// So many tasks write.
const TASKS: usize = 2;

/// So many operations wait for each before callers have to wait for room.
const QUEUE: usize = 1024;

type Queue = mpsc::Sender<Box<dyn Job>>;

/// The tasks that write.
#[derive(Debug)]
pub(super) struct Writer {
    /// One for each task; none once it is closed.
    queues: Mutex<Vec<Queue>>,
    tasks: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
    threads: RandomState,
}

impl Writer {
    /// Connects, and starts the tasks.
    pub(super) async fn start(
        options: &PostgresOptions,
        sql: Arc<Statements>,
    ) -> Result<Self, RowError> {
        let mut sessions = Vec::with_capacity(TASKS);
        for _ in 0..TASKS {
            sessions.push(Session::start(options, Arc::clone(&sql)).await?);
        }
        let (queues, tasks) = sessions
            .into_iter()
            .map(|session| {
                let (queue, jobs) = mpsc::channel(QUEUE);
                (queue, tokio::spawn(session.write_all(jobs)))
            })
            .unzip();
        Ok(Self {
            queues: Mutex::new(queues),
            tasks: tokio::sync::Mutex::new(tasks),
            threads: RandomState::new(),
        })
    }

    /// Does an operation. Once this has begun to wait for the answer, the operation is done even if nobody waits for
    /// it any more.
    pub(super) async fn run<O: Operation>(&self, operation: O) -> Result<O::Answer, StoreError> {
        let closed = || StoreError::Failed {
            what: O::WHAT,
            source: "the store is closed".into(),
        };
        let queue = self.queue_of(operation.thread_id()).ok_or_else(closed)?;
        let (waiting, answer) = Waiting::new(operation);
        queue.send(Box::new(waiting)).await.map_err(|_| closed())?;
        drop(queue);
        answer.await.map_err(|_| closed())?
    }

    fn queue_of(&self, thread_id: &str) -> Option<Queue> {
        let queues = unpoisoned(&self.queues);
        let place = self.threads.hash_one(thread_id) % TASKS as u64;
        queues.get(usize::try_from(place).ok()?).cloned()
    }

    /// Waits until all that was begun is written.
    pub(super) async fn close(&self) {
        unpoisoned(&self.queues).clear();
        for task in self.tasks.lock().await.drain(..) {
            // A task cannot panic; if it does, the database tidies up behind it.
            let _ = task.await;
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
