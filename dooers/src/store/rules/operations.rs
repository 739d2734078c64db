//! The operations of a turn from its claim to its end, and the creation and deletion of threads.

use super::rows::{Rows, ThreadRows};
use super::thread::{make, open};
use super::usage::record_usage;
use crate::protocol::timestamp;
use crate::store::edit::id_is_taken;
use crate::store::{
    Change, Claim, ClaimOptions, FinishOutcome, Retried, Scope, ThreadDraft, TurnChange, TurnKey,
};
use chrono::{DateTime, Utc};

/// Claims a thread's oldest turn.
pub(crate) fn claim<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    thread_id: &str,
    start: &ClaimOptions,
) -> Result<Option<Claim>, S::Error> {
    let mut thread = open(rows, scope, thread_id)?;
    let claim = thread.claim(start)?;
    let changes = claim.as_ref().map_or(&[][..], |claim| &claim.changes);
    thread.save(changes, None)?;
    Ok(claim)
}

/// Returns the claim of a running turn again.
pub(crate) fn resume<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    turn: &TurnKey,
) -> Result<Claim, S::Error> {
    open(rows, scope, &turn.thread_id)?.resume(turn)
}

/// Writes the changes of a turn.
pub(crate) fn write<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    turn: &TurnKey,
    changes: &[TurnChange],
) -> Result<Vec<Change>, S::Error> {
    let mut thread = open(rows, scope, &turn.thread_id)?;
    let mut held = thread.held(turn)?;
    let written = thread.apply(&mut held, changes)?;
    thread.save(&written, Some(&held))?;
    record_usage(rows, scope, &turn.thread_id, changes)?;
    Ok(written)
}

/// Writes the last changes of a turn, ends it and claims the next turn.
pub(crate) fn finish<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    turn: &TurnKey,
    changes: &[TurnChange],
    next: Option<&ClaimOptions>,
) -> Result<FinishOutcome, S::Error> {
    let mut thread = open(rows, scope, &turn.thread_id)?;
    let mut held = thread.held(turn)?;
    let mut written = thread.apply(&mut held, changes)?;
    written.extend(thread.end_questions(&mut held)?);
    written.extend(thread.finalize_all(&turn.event_id)?);
    thread.rows.delete_turn(&held)?;
    let mut next = match next {
        Some(start) => thread.claim(start)?,
        None => None,
    };
    if let Some(next) = &mut next {
        written.append(&mut next.changes);
    }
    thread.save(&written, Some(&held))?;
    record_usage(rows, scope, &turn.thread_id, changes)?;
    Ok(FinishOutcome {
        changes: written,
        next,
    })
}

/// Writes the last changes of an attempt, and requeues the turn unless it was cancelled.
pub(crate) fn retry<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    turn: &TurnKey,
    changes: &[TurnChange],
    not_before: DateTime<Utc>,
) -> Result<Retried, S::Error> {
    let mut thread = open(rows, scope, &turn.thread_id)?;
    let mut held = thread.held(turn)?;
    let mut written = thread.apply(&mut held, changes)?;
    written.extend(thread.end_questions(&mut held)?);
    written.extend(thread.finalize_all(&turn.event_id)?);
    let is_cancelled = held.is_cancelled;
    if is_cancelled {
        written.extend(thread.end_cancelled(&held, timestamp::now())?);
    } else {
        thread.requeue(held.clone(), Some(not_before))?;
    }
    thread.save(&written, Some(&held))?;
    record_usage(rows, scope, &turn.thread_id, changes)?;
    Ok(Retried {
        changes: written,
        is_cancelled,
    })
}

/// Creates a thread without a message.
pub(crate) fn create<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    draft: &ThreadDraft,
) -> Result<Change, S::Error> {
    let id = &draft.thread.id;
    if rows.has_thread(id)? {
        return Err(id_is_taken("thread", id).into());
    }
    let owner = draft.participant();
    let (thread, created) = make(rows, scope, draft.thread(scope), owner.as_ref())?;
    thread.save(std::slice::from_ref(&created), None)?;
    Ok(created)
}

/// Deletes a thread with its events, runs and turns.
pub(crate) fn delete<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    thread_id: &str,
) -> Result<Change, S::Error> {
    let record = open(rows, scope, thread_id)?.record();
    rows.delete_thread(scope, thread_id)?;
    Ok(Change::of_deletion(record))
}
