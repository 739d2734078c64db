//! Operations that wait for the writer, and their execution in memory as a batch.

use super::operations::PgOperation;
use super::working_set::{Dependency, WorkingSet};
use crate::store::postgres::connect::error::into_store_error;
use crate::store::sql::{RowError, ThreadOperation};
use crate::store::state::Threads;
use crate::store::{Scope, StoreError};
use std::collections::HashSet;
use std::fmt::Debug;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The result that a caller receives.
pub(crate) type Answered<O> = Result<<O as ThreadOperation>::Answer, StoreError>;

/// An operation of any type, with the caller that waits for its result.
pub(crate) trait Job: Debug + Send {
    /// Returns the thread, and the scope in which it must be visible. `None` for an operation without a thread.
    fn thread(&self) -> Option<(&Scope, &str)>;

    /// Returns the threads on which the result depends, as far as the scope shows them.
    fn depends_on(&self, known: &WorkingSet) -> Vec<String>;

    /// Returns the time since which the operation waits.
    fn since(&self) -> Instant;

    /// Returns `true` if the thread must be read again.
    fn is_fresh(&self) -> bool;

    /// Returns `true` if no other operation may change the thread in the same batch.
    fn is_alone(&self) -> bool;

    /// Returns `true` if the operation may create the thread.
    fn may_create(&self) -> bool;

    /// Returns the rows that the operation needs.
    fn needs(&self, known: &WorkingSet) -> Vec<Dependency>;

    /// Executes the operation and keeps its result. Returns `true` unless the operation was refused.
    fn run(&mut self, threads: &mut Threads) -> bool;

    /// Sends the result to the caller.
    fn answer(self: Box<Self>);

    /// Reports a fault of the database to the caller.
    fn fail(self: Box<Self>, error: RowError);
}

/// An operation, with the caller that waits for its result.
#[derive(Debug)]
pub(crate) struct QueuedOperation<O: PgOperation> {
    operation: O,
    since: Instant,
    answer: Option<Answered<O>>,
    caller: oneshot::Sender<Answered<O>>,
}

impl<O: PgOperation> QueuedOperation<O> {
    pub(crate) fn new(operation: O) -> (Self, oneshot::Receiver<Answered<O>>) {
        let (caller, answer) = oneshot::channel();
        let waiting = Self {
            operation,
            since: Instant::now(),
            answer: None,
            caller,
        };
        (waiting, answer)
    }
}

impl<O: PgOperation> Job for QueuedOperation<O> {
    fn thread(&self) -> Option<(&Scope, &str)> {
        Some((self.operation.scope(), self.operation.thread_id()))
    }

    fn depends_on(&self, known: &WorkingSet) -> Vec<String> {
        let operation = &self.operation;
        let needs = self.needs(known).into_iter();
        let threads = needs.filter_map(|need| match need {
            Dependency::Thread { thread_id, .. } => Some(thread_id),
            _ => None,
        });
        let own = operation.thread_id();
        let is_shared = operation.may_create() || !known.is_missing(operation.scope(), own);
        threads
            .filter(|id| id != own)
            .chain(is_shared.then(|| own.to_owned()))
            .collect()
    }

    fn since(&self) -> Instant {
        self.since
    }

    fn is_fresh(&self) -> bool {
        O::IS_FRESH
    }

    fn is_alone(&self) -> bool {
        self.operation.is_alone()
    }

    fn may_create(&self) -> bool {
        self.operation.may_create()
    }

    fn needs(&self, known: &WorkingSet) -> Vec<Dependency> {
        let scope = self.operation.scope();
        let mut needs = vec![Dependency::List(scope.of_everyone())];
        self.operation.needs(known, &mut needs);
        // No row is read of a thread that the scope does not show, even if another operation has read the thread.
        needs.retain(|need| need.row_of().is_none_or(|id| known.shows(scope, id)));
        needs
    }

    fn run(&mut self, threads: &mut Threads) -> bool {
        let answer = self.operation.run(threads);
        let is_done = answer.is_ok();
        self.answer = Some(answer);
        is_done
    }

    fn answer(self: Box<Self>) {
        if let Some(answer) = self.answer {
            // The caller may have stopped waiting.
            let _ = self.caller.send(answer);
        }
    }

    fn fail(self: Box<Self>, error: RowError) {
        let _ = self.caller.send(Err(into_store_error(error, O::WHAT)));
    }
}

/// An operation that does nothing, and waits for those before it.
#[derive(Debug)]
pub(crate) struct Barrier {
    since: Instant,
    caller: oneshot::Sender<Result<(), StoreError>>,
}

impl Barrier {
    pub(crate) const WHAT: &'static str = "find out which changes were made";

    pub(crate) fn new() -> (Self, oneshot::Receiver<Result<(), StoreError>>) {
        let (caller, answer) = oneshot::channel();
        let since = Instant::now();
        (Self { since, caller }, answer)
    }
}

impl Job for Barrier {
    fn thread(&self) -> Option<(&Scope, &str)> {
        None
    }

    fn depends_on(&self, _: &WorkingSet) -> Vec<String> {
        Vec::new()
    }

    fn since(&self) -> Instant {
        self.since
    }

    fn is_fresh(&self) -> bool {
        false
    }

    fn is_alone(&self) -> bool {
        false
    }

    fn may_create(&self) -> bool {
        false
    }

    fn needs(&self, _: &WorkingSet) -> Vec<Dependency> {
        Vec::new()
    }

    fn run(&mut self, _: &mut Threads) -> bool {
        true
    }

    fn answer(self: Box<Self>) {
        // A caller that has gone needs no answer.
        let _ = self.caller.send(Ok(()));
    }

    fn fail(self: Box<Self>, error: RowError) {
        let _ = self.caller.send(Err(into_store_error(error, Self::WHAT)));
    }
}

/// The outcome of a batch in memory.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// For each operation the threads on which its result depends. `None` if the operation is left for the next batch.
    pub(crate) depends_on: Vec<Option<Vec<String>>>,
}

/// Executes a batch in memory, in its order.
///
/// Some operations are left for the next batch: those that need more rows than were read, those that must not share a
/// batch with an earlier operation, and all later operations on the same thread. A refusal is final only if it does not
/// rely on trusted data.
///
/// An operation whose scope does not show the thread is independent of the others on this thread: it is executed as if
/// the thread did not exist.
pub(crate) fn run(jobs: &mut [Box<dyn Job>], known: &mut WorkingSet) -> Done {
    let mut done = Done::default();
    let mut closed: HashSet<String> = HashSet::new();
    for job in jobs {
        let thread = job.thread();
        let shared = thread.filter(|(scope, id)| job.may_create() || known.shows(scope, id));
        let is_outdated = thread.is_some_and(|(_, id)| known.outdated.contains(id));
        let is_blocked = shared
            .is_some_and(|(_, id)| closed.contains(id) || job.is_alone() && known.is_changed(id));
        let shared = shared.map(|(_, id)| id.to_owned());
        if is_outdated || is_blocked || !known.open(job.needs(known)).is_empty() {
            closed.extend(shared);
            done.depends_on.push(None);
            continue;
        }
        let is_trusting = thread.is_some_and(|(scope, id)| known.trusts(scope, id));
        let depends_on = job.depends_on(known);
        if !job.run(&mut known.threads) && is_trusting {
            if let Some((scope, id)) = job.thread() {
                known.distrusted.insert(scope, id);
            }
            closed.extend(shared);
            done.depends_on.push(None);
            continue;
        }
        if job.is_alone() {
            closed.extend(shared);
        }
        done.depends_on.push(Some(depends_on));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ClaimOptions;
    use crate::store::postgres::write::operations::Expire;
    use crate::store::sql::Begin;
    use crate::store::tests::{at, first_message, scope, start};
    use chrono::{DateTime, Utc};
    use std::time::Duration;

    #[test]
    fn new_lease_is_not_compared_with_the_database_clock() {
        let begin = Begin {
            scope: scope(),
            new: first_message("t", "e"),
            start: ClaimOptions {
                lease: Duration::from_secs(60),
                ..start("r")
            },
        };
        let expire = Expire {
            scope: scope(),
            thread_id: "t".to_owned(),
            at: at(0),
            // The clock of this process is behind.
            by: DateTime::<Utc>::MAX_UTC,
        };
        let (begin, begun) = QueuedOperation::new(begin);
        let (expire, expired) = QueuedOperation::new(expire);
        let mut jobs: Vec<Box<dyn Job>> = vec![Box::new(begin), Box::new(expire)];
        let mut known = WorkingSet::default();
        known.asked(vec![Dependency::List(scope())]);
        let done = run(&mut jobs, &mut known);
        assert_eq!(done.depends_on, [Some(vec!["t".to_owned()]), None]);
        drop((begun, expired));
    }
}
