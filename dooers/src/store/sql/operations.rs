//! What a writer is asked to do: the operations that both databases have.
//!
//! `WHAT` is what each does, after "the database failed to".

use crate::store::{NewMessage, Scope, Start, ThreadDraft, ThreadEdit, TurnChange, TurnKey};
use chrono::{DateTime, Utc};

/// Stores a user's message and its turn.
#[derive(Debug)]
pub(crate) struct Begin {
    pub(crate) scope: Scope,
    pub(crate) new: NewMessage,
    pub(crate) start: Start,
}

impl Begin {
    pub(crate) const WHAT: &'static str = "store a message";
}

/// Claims a thread's oldest turn.
#[derive(Debug)]
pub(crate) struct ClaimTurn {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) start: Start,
}

impl ClaimTurn {
    pub(crate) const WHAT: &'static str = "claim a turn";
}

/// Writes what a turn did.
#[derive(Debug)]
pub(crate) struct WriteTurn {
    pub(crate) scope: Scope,
    pub(crate) turn: TurnKey,
    pub(crate) changes: Vec<TurnChange>,
}

impl WriteTurn {
    pub(crate) const WHAT: &'static str = "write in a turn";
}

/// Writes the last of a turn, ends it and claims the next.
#[derive(Debug)]
pub(crate) struct FinishTurn {
    pub(crate) scope: Scope,
    pub(crate) turn: TurnKey,
    pub(crate) changes: Vec<TurnChange>,
    pub(crate) next: Option<Start>,
}

impl FinishTurn {
    pub(crate) const WHAT: &'static str = "end a turn";
}

/// Writes the last of an attempt, and lets the turn wait for another one.
#[derive(Debug)]
pub(crate) struct RetryTurn {
    pub(crate) scope: Scope,
    pub(crate) turn: TurnKey,
    pub(crate) changes: Vec<TurnChange>,
    pub(crate) not_before: DateTime<Utc>,
}

impl RetryTurn {
    pub(crate) const WHAT: &'static str = "let a turn wait for another attempt";
}

/// Deletes a thread.
#[derive(Debug)]
pub(crate) struct DeleteThread {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
}

impl DeleteThread {
    pub(crate) const WHAT: &'static str = "delete a thread";
}

/// Makes a thread.
#[derive(Debug)]
pub(crate) struct CreateThread {
    pub(crate) scope: Scope,
    pub(crate) draft: ThreadDraft,
}

impl CreateThread {
    pub(crate) const WHAT: &'static str = "make a thread";
}

/// Changes a thread.
#[derive(Debug)]
pub(crate) struct EditThread {
    pub(crate) scope: Scope,
    pub(crate) thread_id: String,
    pub(crate) edit: ThreadEdit,
}

impl EditThread {
    pub(crate) const WHAT: &'static str = "change a thread";
}
