//! The operations on threads that the writers of both databases execute.

use crate::store::rules::{self, Rows};
use crate::store::{
    BeginOutcome, Change, Claim, ClaimOptions, Edited, FinishOutcome, NewMessage, Retried, Scope,
    ThreadDraft, ThreadEdit, TurnChange, TurnKey,
};
use chrono::{DateTime, Utc};
use std::fmt::Debug;

/// An operation on threads. It may be executed more than once, because only the last execution is committed.
pub(crate) trait ThreadOperation: Debug + Send + 'static {
    /// The result for the caller.
    type Answer: Debug + Send + 'static;

    /// The words after "the database failed to".
    const WHAT: &'static str;

    /// Executes the operation by the rules, with all checks before the first write.
    fn run<S: Rows>(&self, rows: &mut S) -> Result<Self::Answer, S::Error>;
}

/// Stores a user's message and its turn.
#[derive(Debug)]
pub(crate) struct Begin {
    pub(crate) scope: Scope,
    pub(crate) new: NewMessage,
    pub(crate) start: ClaimOptions,
}

impl ThreadOperation for Begin {
    type Answer = BeginOutcome;
    const WHAT: &'static str = "store a message";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<BeginOutcome, S::Error> {
        rules::begin(rows, &self.scope, &self.new, &self.start)
    }
}

/// Claims a thread's oldest turn.
#[derive(Debug)]
pub(crate) struct ClaimTurn {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) start: ClaimOptions,
}

impl ThreadOperation for ClaimTurn {
    type Answer = Option<Claim>;
    const WHAT: &'static str = "claim a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Option<Claim>, S::Error> {
        rules::claim(rows, &self.scope, &self.thread_id, &self.start)
    }
}

/// Returns the claim of a running turn again.
#[derive(Debug)]
pub(crate) struct ResumeTurn {
    pub(crate) scope: Scope,
    pub(crate) turn: TurnKey,
}

impl ThreadOperation for ResumeTurn {
    type Answer = Claim;
    const WHAT: &'static str = "resume a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Claim, S::Error> {
        rules::resume(rows, &self.scope, &self.turn)
    }
}

/// Writes changes of a turn.
#[derive(Debug)]
pub(crate) struct WriteTurn {
    pub(crate) scope: Scope,
    pub(crate) turn: TurnKey,
    pub(crate) changes: Vec<TurnChange>,
}

impl ThreadOperation for WriteTurn {
    type Answer = Vec<Change>;
    const WHAT: &'static str = "write in a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Vec<Change>, S::Error> {
        rules::write(rows, &self.scope, &self.turn, &self.changes)
    }
}

/// Writes the last changes of a turn, ends it and claims the next turn.
#[derive(Debug)]
pub(crate) struct FinishTurn {
    pub(crate) scope: Scope,
    pub(crate) turn: TurnKey,
    pub(crate) changes: Vec<TurnChange>,
    pub(crate) next: Option<ClaimOptions>,
}

impl ThreadOperation for FinishTurn {
    type Answer = FinishOutcome;
    const WHAT: &'static str = "end a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<FinishOutcome, S::Error> {
        let next = self.next.as_ref();
        rules::finish(rows, &self.scope, &self.turn, &self.changes, next)
    }
}

/// Writes the last changes of an attempt, and requeues the turn.
#[derive(Debug)]
pub(crate) struct RetryTurn {
    pub(crate) scope: Scope,
    pub(crate) turn: TurnKey,
    pub(crate) changes: Vec<TurnChange>,
    pub(crate) not_before: DateTime<Utc>,
}

impl ThreadOperation for RetryTurn {
    type Answer = Retried;
    const WHAT: &'static str = "requeue a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Retried, S::Error> {
        let not_before = self.not_before;
        rules::retry(rows, &self.scope, &self.turn, &self.changes, not_before)
    }
}

/// Deletes a thread.
#[derive(Debug)]
pub(crate) struct DeleteThread {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
}

impl ThreadOperation for DeleteThread {
    type Answer = Change;
    const WHAT: &'static str = "delete a thread";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Change, S::Error> {
        rules::delete(rows, &self.scope, &self.thread_id)
    }
}

/// Creates a thread.
#[derive(Debug)]
pub(crate) struct CreateThread {
    pub(crate) scope: Scope,
    pub(crate) draft: ThreadDraft,
}

impl ThreadOperation for CreateThread {
    type Answer = Change;
    const WHAT: &'static str = "create a thread";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Change, S::Error> {
        rules::create(rows, &self.scope, &self.draft)
    }
}

/// Changes a thread.
#[derive(Debug)]
pub(crate) struct EditThread {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) edit: ThreadEdit,
}

impl ThreadOperation for EditThread {
    type Answer = Edited;
    const WHAT: &'static str = "change a thread";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Edited, S::Error> {
        rules::edit(rows, &self.scope, &self.thread_id, &self.edit)
    }
}
