//! Many operations in one commit.
//!
//! The rule that makes it right: **an operation does all its checks before its first write.** Then a refusal leaves
//! nothing to take back, and the other operations of the batch go on. (Savepoints would do the same, and cost a
//! quarter of the throughput.) An operation that breaks the rule is treated like a fault of the database: the batch is
//! rolled back and each operation is redone by itself, so even then a refusal leaves no trace.

use super::away::{again, told};
use super::database::Database;
use crate::crash;
use crate::store::StoreError;
use crate::store::sql::{RowError, Stop};
use std::fmt::Debug;
use tokio::sync::oneshot;

/// Something to do in a transaction. It may be done more than once: what was done before is rolled back then.
pub(super) trait Operation: Debug + Send + 'static {
    /// What the caller gets.
    type Answer: Debug + Send + 'static;

    /// What it does, after "the database failed to".
    const WHAT: &'static str;

    /// Does it: all checks first, then the writes.
    fn run(&self, db: &Database) -> Result<Self::Answer, Stop>;
}

/// What a caller is told.
pub(super) type Answered<O> = Result<<O as Operation>::Answer, StoreError>;

/// An operation of any kind, and who waits for its answer.
pub(super) trait Job: Send {
    /// Does it, and keeps the answer.
    fn run(&mut self, db: &Database) -> Outcome;

    /// Gives the answer to the caller.
    fn answer(self: Box<Self>);

    /// Tells the caller that the database failed.
    fn fail(self: Box<Self>, error: RowError);
}

/// How it went.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    Refused { has_written: bool },
    Fault(RowError),
}

/// An operation, and who waits for its answer.
#[derive(Debug)]
pub(super) struct Waiting<O: Operation> {
    operation: O,
    answer: Option<Answered<O>>,
    caller: oneshot::Sender<Answered<O>>,
}

impl<O: Operation> Waiting<O> {
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

impl<O: Operation> Job for Waiting<O> {
    fn run(&mut self, db: &Database) -> Outcome {
        let before = db.rows_written();
        match self.operation.run(db) {
            Ok(answer) => {
                self.answer = Some(Ok(answer));
                Outcome::Done
            }
            Err(Stop::Refused(refusal)) => {
                self.answer = Some(Err(refusal));
                Outcome::Refused {
                    has_written: db.rows_written() != before,
                }
            }
            Err(Stop::Fault(error)) => Outcome::Fault(error),
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(answer) = self.answer {
            // A caller that has gone needs no answer.
            let _ = self.caller.send(answer);
        }
    }

    fn fail(self: Box<Self>, source: RowError) {
        let _ = self.caller.send(Err(told(source, O::WHAT)));
    }
}

/// Does these jobs in one commit, or, if that fails, each in one of its own. The result is how many commits it took.
pub(super) fn commit(db: &Database, jobs: &mut Vec<Box<dyn Job>>) -> u64 {
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
                    "a commit failed; each of its operations is redone by itself"
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
            // The database takes nothing now. To try it with each of the others would take as long each time.
            Err(error) => refusing = Some(error),
        }
    }
    commits
}

/// Does these jobs in one transaction. If it fails, none of them is done.
fn together(db: &Database, jobs: &mut [Box<dyn Job>]) -> Result<(), String> {
    db.begin().map_err(|error| error.to_string())?;
    for job in jobs {
        match job.run(db) {
            Outcome::Done | Outcome::Refused { has_written: false } => {}
            Outcome::Refused { has_written: true } => {
                db.roll_back();
                return Err("an operation was refused after it had written".to_owned());
            }
            Outcome::Fault(error) => {
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

/// Refuses all these jobs.
pub(super) fn refuse(jobs: &mut Vec<Box<dyn Job>>, error: &RowError) {
    jobs.drain(..).for_each(|job| job.fail(again(error)));
}

/// Does a job in a transaction of its own, and answers. The result is whether it was committed; an error if the
/// database did not even let it begin.
fn alone(db: &Database, mut job: Box<dyn Job>) -> Result<bool, RowError> {
    if let Err(error) = db.begin() {
        db.note(&error);
        job.fail(again(&error));
        return Err(error);
    }
    let committed = match job.run(db) {
        Outcome::Done => db.commit(),
        Outcome::Refused { .. } => {
            db.roll_back();
            job.answer();
            return Ok(false);
        }
        Outcome::Fault(error) => Err(error),
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
