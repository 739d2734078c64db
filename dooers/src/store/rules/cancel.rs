//! Requests to cancel a turn.

use super::rows::{Rows, ThreadRows};
#[cfg(feature = "postgres")]
use super::thread::open;
use super::thread::{OpenThread, find};
use crate::protocol::RunStatus;
use crate::store::{Cancel, CancelTarget, Cancelled, Scope};

/// Withdraws a waiting turn, or marks a running turn as cancelled.
///
/// The ids of runs are unique only in each thread. If several threads have a run with this id, the one that has not
/// ended is meant.
pub(crate) fn cancel<S: Rows>(
    rows: &mut S,
    scope: Option<&Scope>,
    cancel: &Cancel,
) -> Result<Cancelled, S::Error> {
    let mut is_found = false;
    for (place, thread_id) in rows.threads_of(scope, &cancel.target)? {
        let Some(mut thread) = find(rows, scope.unwrap_or(&place), &thread_id)? else {
            continue;
        };
        let cancelled = thread.cancel(cancel)?;
        thread.save(cancelled.changes(), None)?;
        if !matches!(cancelled, Cancelled::Ended) {
            return Ok(cancelled);
        }
        is_found = true;
    }
    if is_found {
        return Ok(Cancelled::Ended);
    }
    Err(cancel.target.not_found().into())
}

/// Cancels a turn of this thread.
#[cfg(feature = "postgres")]
pub(crate) fn cancel_in<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    thread_id: &str,
    cancel: &Cancel,
) -> Result<Cancelled, S::Error> {
    let mut thread = open(rows, scope, thread_id)?;
    let cancelled = thread.cancel(cancel)?;
    thread.save(cancelled.changes(), None)?;
    Ok(cancelled)
}

impl<R: ThreadRows> OpenThread<R> {
    /// Withdraws a waiting turn, or marks a running turn as cancelled.
    pub(super) fn cancel(&mut self, cancel: &Cancel) -> Result<Cancelled, R::Error> {
        let event_id = match &cancel.target {
            CancelTarget::Event(id) => Some(id.clone()),
            CancelTarget::Run(id) => {
                let run = self.rows.run(id)?;
                let open = run.filter(|run| run.status == RunStatus::Running);
                open.and_then(|run| run.event_id)
            }
        };
        let turn = match event_id {
            Some(event_id) => self.rows.turn_of(&event_id)?,
            None => None,
        };
        let Some(turn) = turn else {
            return Ok(Cancelled::Ended);
        };
        if turn.is_running {
            let event_id = turn.event_id.clone();
            self.mark_cancelled(turn)?;
            return Ok(Cancelled::Running {
                thread_id: self.id().to_owned(),
                event_id,
            });
        }
        Ok(Cancelled::Withdrawn {
            scope: Box::new(self.record().scope()),
            changes: self.withdraw(&turn, cancel.run_id.clone(), cancel.at)?,
            waiting: self.waiting()?.filter(|_| turn.attempt > 0),
        })
    }
}
