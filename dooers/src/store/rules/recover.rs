//! Turns that a dead process left running.

use super::rows::{Rows, ThreadRows, TurnRow};
use super::thread::{OpenThread, open};
use crate::store::claim::{AfterLoss, interrupted_event, interrupted_run};
use crate::store::{Change, Origin, PendingThread, Recovered, Scope, ThreadChanges};
use chrono::{DateTime, Utc};

/// The turns of a thread that were interrupted.
#[derive(Debug)]
pub(crate) struct Interrupted {
    pub(crate) changes: ThreadChanges,
    /// The ids of the messages whose turns failed.
    pub(crate) failed: Vec<String>,
    pub(crate) retried: usize,
}

/// Ends or requeues running turns: all of them, or only those whose lease ended by `lost_by`. The changes show the time
/// `at`.
pub(crate) fn recover<S: Rows>(
    rows: &mut S,
    at: DateTime<Utc>,
    lost_by: Option<DateTime<Utc>>,
) -> Result<Recovered, S::Error> {
    let mut recovered = Recovered::default();
    for (scope, thread_id) in rows.threads_with_turns(lost_by)? {
        let (interrupted, waiting) = expire(rows, &scope, &thread_id, at, lost_by)?;
        recovered.add(interrupted, waiting);
    }
    Ok(recovered)
}

/// Recovers the turns of one thread. Returns the changes, and the thread if it has waiting turns.
pub(crate) fn expire<S: Rows>(
    rows: &mut S,
    scope: &Scope,
    thread_id: &str,
    at: DateTime<Utc>,
    lost_by: Option<DateTime<Utc>>,
) -> Result<(Option<Interrupted>, Option<PendingThread>), S::Error> {
    let mut thread = open(rows, scope, thread_id)?;
    let interrupted = thread.interrupt(at, lost_by)?;
    let waiting = thread.waiting()?;
    let changes = interrupted
        .as_ref()
        .map_or(&[][..], |ended| &ended.changes.changes);
    thread.save(changes, None)?;
    Ok((interrupted, waiting))
}

impl Recovered {
    /// Adds the result of one thread.
    pub(crate) fn add(&mut self, interrupted: Option<Interrupted>, waiting: Option<PendingThread>) {
        if let Some(interrupted) = interrupted {
            self.interrupted += interrupted.failed.len();
            self.interrupted_messages.extend(interrupted.failed);
            self.retried += interrupted.retried;
            self.changes.push(interrupted.changes);
        }
        self.waiting.extend(waiting);
    }
}

impl<R: ThreadRows> OpenThread<R> {
    /// Interrupts the lost turns. Returns `None` if there are none.
    fn interrupt(
        &mut self,
        at: DateTime<Utc>,
        lost_by: Option<DateTime<Utc>>,
    ) -> Result<Option<Interrupted>, R::Error> {
        let running = self.rows.running_turns()?.into_iter();
        let mut interrupted = None;
        for mut turn in running.filter(|turn| turn.is_lost(lost_by)) {
            let interrupted = interrupted.get_or_insert_with(|| Interrupted {
                changes: ThreadChanges {
                    scope: self.record().scope(),
                    changes: Vec::new(),
                },
                failed: Vec::new(),
                retried: 0,
            });
            let changes = &mut interrupted.changes.changes;
            changes.extend(self.end_questions(&mut turn)?);
            changes.extend(self.finalize_all(&turn.event_id)?);
            match AfterLoss::of(turn.is_cancelled, turn.attempt, turn.retries) {
                AfterLoss::Retry => {
                    self.requeue(turn, None)?;
                    interrupted.retried += 1;
                }
                AfterLoss::Cancel => changes.extend(self.end_cancelled(&turn, at)?),
                AfterLoss::Fail => {
                    changes.extend(self.fail_lost(&turn, at)?);
                    interrupted.failed.push(turn.event_id);
                }
            }
        }
        Ok(interrupted)
    }

    /// Ends a turn and its runs as interrupted, and adds an event to the thread that says so.
    fn fail_lost(&mut self, turn: &TurnRow, at: DateTime<Utc>) -> Result<Vec<Change>, R::Error> {
        let open = self.rows.open_runs(&turn.event_id)?;
        let run_id = open.first().map(|run| run.id.clone());
        let event = interrupted_event(self.id(), run_id, &turn.event_id, at);
        let (event, rev) = self.append(event, None, None)?;
        self.touch(at)?;
        let created = Change::of_event(event, rev).by(Origin::Created);
        let mut changes = vec![created, self.change_row()];
        let ends = open.into_iter().map(|run| interrupted_run(run, at));
        let ended = self.update_runs(ends)?.into_iter();
        changes.extend(ended.map(|change| change.by(Origin::EndedTurn(turn.attempt))));
        self.end_unanswered(turn)?;
        Ok(changes)
    }
}
