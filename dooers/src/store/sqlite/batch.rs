//! Commits that contain many operations.
//!
//! Every operation must **make all its checks before its first write.** A refusal then leaves nothing to roll back, and
//! does not affect the other operations of the batch. (Savepoints would have the same effect, but cost a quarter of the
//! throughput.) An operation that breaks this rule is treated like a fault of the database: the batch is rolled back
//! and each operation is repeated in its own transaction. Even then a refusal leaves no trace.

use super::away::{again, told};
use super::database::WriterDatabase;
use crate::crash;
use crate::store::StoreError;
use crate::store::sql::{RowError, Stop};
use std::fmt::Debug;
use tokio::sync::oneshot;

/// An operation in a transaction. It may be executed more than once, because an earlier execution may have been rolled
/// back.
pub(super) trait SqliteOperation: Debug + Send + 'static {
    /// The result for the caller.
    type Answer: Debug + Send + 'static;

    /// The operation, in words that follow "the database failed to".
    const WHAT: &'static str;

    /// Executes the operation: all checks first, then the writes.
    fn run(&self, db: &WriterDatabase) -> Result<Self::Answer, Stop>;
}

/// The result that a caller receives.
pub(super) type Answered<O> = Result<<O as SqliteOperation>::Answer, StoreError>;

/// An operation of any type, with the caller that waits for its result.
pub(super) trait Job: Send {
    /// Executes the operation and keeps its result.
    fn run(&mut self, db: &WriterDatabase) -> JobOutcome;

    /// Sends the result to the caller.
    fn answer(self: Box<Self>);

    /// Reports a fault of the database to the caller.
    fn fail(self: Box<Self>, error: RowError);
}

/// The outcome of an execution.
#[derive(Debug)]
pub(super) enum JobOutcome {
    Done,
    Refused { has_written: bool },
    Fault(RowError),
}

/// An operation, with the caller that waits for its result.
#[derive(Debug)]
pub(super) struct QueuedOperation<O: SqliteOperation> {
    operation: O,
    answer: Option<Answered<O>>,
    caller: oneshot::Sender<Answered<O>>,
}

impl<O: SqliteOperation> QueuedOperation<O> {
    pub(super) fn new(operation: O) -> (Self, oneshot::Receiver<Answered<O>>) {
        let (caller, answer) = oneshot::channel();
        let waiting = Self {
            operation,
            answer: None,
            caller,
        };
        (waiting, answer)
    }
}

impl<O: SqliteOperation> Job for QueuedOperation<O> {
    fn run(&mut self, db: &WriterDatabase) -> JobOutcome {
        let before = db.rows_written();
        match self.operation.run(db) {
            Ok(answer) => {
                self.answer = Some(Ok(answer));
                JobOutcome::Done
            }
            Err(Stop::Refused(refusal)) => {
                self.answer = Some(Err(refusal));
                JobOutcome::Refused {
                    has_written: db.rows_written() != before,
                }
            }
            Err(Stop::Fault(error)) => JobOutcome::Fault(error),
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(answer) = self.answer {
            // The caller may have stopped waiting.
            let _ = self.caller.send(answer);
        }
    }

    fn fail(self: Box<Self>, source: RowError) {
        let _ = self.caller.send(Err(told(source, O::WHAT)));
    }
}

/// Executes these jobs in one commit or, if that fails, each in its own commit. Returns the number of commits.
pub(super) fn commit(db: &WriterDatabase, jobs: &mut Vec<Box<dyn Job>>) -> u64 {
    if jobs.len() > 1 {
        match together(db, jobs) {
            Ok(()) => {
                crash::point("after-writer-commit");
                db.tidy_log();
                jobs.drain(..).for_each(Job::answer);
                return 1;
            }
            Err(error) => {
                let operations = jobs.len();
                tracing::warn!(
                    target: "dooers::store", error, operations,
                    "a commit failed; each of its operations is repeated in its own transaction"
                );
            }
        }
    }
    let mut commits = 0;
    let mut refusing = None;
    for job in jobs.drain(..) {
        if let Some(error) = &refusing {
            job.fail(again(error));
            continue;
        }
        match alone(db, job) {
            Ok(is_committed) => commits += u64::from(is_committed),
            // The database accepts no writes at the moment. Another attempt for each job would take as long as this
            // one.
            Err(error) => refusing = Some(error),
        }
    }
    commits
}

/// Executes these jobs in one transaction. After an error, none of them has an effect.
fn together(db: &WriterDatabase, jobs: &mut [Box<dyn Job>]) -> Result<(), String> {
    db.begin().map_err(|error| error.to_string())?;
    for job in jobs {
        match job.run(db) {
            JobOutcome::Done | JobOutcome::Refused { has_written: false } => {}
            JobOutcome::Refused { has_written: true } => {
                db.roll_back();
                return Err("an operation was refused after it had written".to_owned());
            }
            JobOutcome::Fault(error) => {
                db.roll_back();
                return Err(error.to_string());
            }
        }
    }
    db.commit().map_err(|error| {
        db.roll_back();
        error.to_string()
    })
}

/// Refuses all these jobs with an error.
pub(super) fn refuse(jobs: &mut Vec<Box<dyn Job>>, error: &RowError) {
    jobs.drain(..).for_each(|job| job.fail(again(error)));
}

/// Executes a job in its own transaction and sends the result. Returns `true` if the transaction was committed, or an
/// error if it could not even begin.
fn alone(db: &WriterDatabase, mut job: Box<dyn Job>) -> Result<bool, RowError> {
    if let Err(error) = db.begin() {
        db.note(&error);
        job.fail(again(&error));
        return Err(error);
    }
    let committed = match job.run(db) {
        JobOutcome::Done => db.commit(),
        JobOutcome::Refused { .. } => {
            db.roll_back();
            job.answer();
            return Ok(false);
        }
        JobOutcome::Fault(error) => Err(error),
    };
    match committed {
        Ok(()) => {
            crash::point("after-writer-commit");
            db.tidy_log();
            job.answer();
            Ok(true)
        }
        Err(error) => {
            db.roll_back();
            db.note(&error);
            job.fail(error);
            Ok(false)
        }
    }
}
