//! Operations that wait for the writer, and how a batch of them is done in memory.

use super::connect::told;
use super::known::{Known, Need};
use super::operations::Operation;
use crate::store::sql::{RowError, ThreadOperation};
use crate::store::state::Threads;
use crate::store::{StoreError, TurnKey};
use std::collections::HashSet;
use std::fmt::Debug;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What a caller is told.
pub(super) type Answered<O> = Result<<O as ThreadOperation>::Answer, StoreError>;

/// An operation of any kind, and who waits for its answer.
pub(super) trait Job: Debug + Send {
    fn thread_id(&self) -> &str;

    /// The threads on which its answer depends.
    fn depends_on(&self, known: &Known) -> Vec<String>;

    /// Since when it waits.
    fn since(&self) -> Instant;

    /// Whether its thread must be read anew.
    fn is_fresh(&self) -> bool;

    /// Whether nothing else may be done to its thread in the same batch.
    fn is_alone(&self) -> bool;

    /// What it must know.
    fn needs(&self, known: &Known) -> Vec<Need>;

    /// Does it, and keeps the answer. The result is whether it was done, and not refused.
    fn run(&mut self, threads: &mut Threads) -> bool;

    /// The turn that the caller is to run by the answer that is kept.
    fn claim(&self) -> Option<TurnKey>;

    /// Gives the answer to the caller.
    fn answer(self: Box<Self>);

    /// Tells the caller that the database failed.
    fn fail(self: Box<Self>, error: RowError);
}

/// An operation, and who waits for its answer.
#[derive(Debug)]
pub(super) struct Waiting<O: Operation> {
    operation: O,
    since: Instant,
    answer: Option<Answered<O>>,
    caller: oneshot::Sender<Answered<O>>,
}

impl<O: Operation> Waiting<O> {
    pub(super) fn new(operation: O) -> (Self, oneshot::Receiver<Answered<O>>) {
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

impl<O: Operation> Job for Waiting<O> {
    fn thread_id(&self) -> &str {
        self.operation.thread_id()
    }

    fn depends_on(&self, known: &Known) -> Vec<String> {
        let needs = self.needs(known).into_iter();
        let threads = needs.filter_map(|need| match need {
            Need::Thread(id) => Some(id),
            _ => None,
        });
        let own = self.thread_id().to_owned();
        threads.chain([own]).collect()
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

    fn needs(&self, known: &Known) -> Vec<Need> {
        let mut needs = vec![Need::List(self.operation.scope().of_everyone())];
        self.operation.needs(known, &mut needs);
        needs
    }

    fn run(&mut self, threads: &mut Threads) -> bool {
        let answer = self.operation.run(threads);
        let is_done = answer.is_ok();
        self.answer = Some(answer);
        is_done
    }

    fn claim(&self) -> Option<TurnKey> {
        let answer = self.answer.as_ref()?.as_ref().ok()?;
        Some(O::claim(answer)?.key.clone())
    }

    fn answer(self: Box<Self>) {
        if let Some(answer) = self.answer {
            // A caller that has gone needs no answer.
            let _ = self.caller.send(answer);
        }
    }

    fn fail(self: Box<Self>, error: RowError) {
        let _ = self.caller.send(Err(told(error, O::WHAT)));
    }
}

/// What became of a batch's operations in memory.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// For each operation the threads on which its answer depends; none if it is left for the next batch.
    pub(super) depends_on: Vec<Option<Vec<String>>>,
}

/// Does a batch in memory, in its order.
///
/// What cannot be done now is left: what must know more than was read, what may not be done together with what was done
/// before, and all that comes behind it in the same thread. A refusal counts only if nothing was taken for granted.
pub(super) fn run(jobs: &mut [Box<dyn Job>], known: &mut Known) -> Done {
    let mut done = Done::default();
    let mut closed: HashSet<String> = HashSet::new();
    for job in jobs {
        let id = job.thread_id().to_owned();
        let is_blocked = closed.contains(&id)
            || job.is_alone() && known.is_changed(&id)
            || !known.open(job.needs(known)).is_empty();
        if is_blocked {
            closed.insert(id);
            done.depends_on.push(None);
            continue;
        }
        let depends_on = job.depends_on(known);
        if !job.run(&mut known.threads) && known.trusts(&id) {
            known.distrusted.insert(id.clone());
            closed.insert(id);
            done.depends_on.push(None);
            continue;
        }
        if job.is_alone() {
            closed.insert(id);
        }
        done.depends_on.push(Some(depends_on));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Start;
    use crate::store::postgres::operations::Expire;
    use crate::store::sql::Begin;
    use crate::store::tests::{at, first_message, scope, start};
    use chrono::{DateTime, Utc};
    use std::time::Duration;

    #[test]
    fn new_lease_is_not_compared_with_the_database_clock() {
        let begin = Begin {
            scope: scope(),
            new: first_message("t", "e"),
            start: Start {
                lease: Duration::from_secs(60),
                ..start("r")
            },
        };
        let expire = Expire {
            scope: scope(),
            thread_id: "t".to_owned(),
            at: at(0),
            // That of this process is behind.
            by: DateTime::<Utc>::MAX_UTC,
        };
        let (begin, begun) = Waiting::new(begin);
        let (expire, expired) = Waiting::new(expire);
        let mut jobs: Vec<Box<dyn Job>> = vec![Box::new(begin), Box::new(expire)];
        let mut known = Known::default();
        known.asked(vec![Need::List(scope())]);
        let done = run(&mut jobs, &mut known);
        assert_eq!(done.depends_on, [Some(vec!["t".to_owned()]), None]);
        drop((begun, expired));
    }
}
