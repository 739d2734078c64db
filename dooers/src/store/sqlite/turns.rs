//! The turns of a thread: who answers which message.

use super::rows::Turn;
use super::thread::OpenThread;
use crate::policy::OnBusy;
use crate::protocol::{Run, ThreadEvent, new_id, timestamp};
use crate::store::claim::{
    AfterLoss, cancelled_run, end_of_lease, interrupted_event, interrupted_run, is_due,
    withdrawn_run,
};
use crate::store::sql::{self, Columns, Stop, int};
use crate::store::{
    Cancel, Cancelled, Change, Claim, SealedAnswer, Start, StoreError, TurnKey, Waiting,
};
use chrono::{DateTime, Utc};
use rusqlite::params;

/// What became of the turns that a dead process left running in a thread.
#[derive(Debug, Default)]
pub(super) struct Interrupted {
    pub(super) changes: Vec<Change>,
    pub(super) failed: usize,
    pub(super) retried: usize,
}

impl OpenThread<'_> {
    /// Refuses a message for which there is no room. Nothing is changed then.
    pub(super) fn check_busy(&self, start: &Start) -> Result<(), Stop> {
        if self.oldest_turn()?.is_none() {
            return Ok(());
        }
        start.check_busy(|| {
            let place = params![self.row.pk];
            let count = self
                .db
                .first(&self.db.sql.writes.count_waiting, place, |row| {
                    row.number(0)
                })?;
            Ok(usize::try_from(count.unwrap_or_default()).unwrap_or(usize::MAX))
        })
    }

    /// Makes way for a message that interrupts: what waits is withdrawn, what runs is marked. The result is what changed,
    /// and the messages whose turns run.
    pub(super) fn make_way(&mut self, start: &Start) -> Result<(Vec<Change>, Vec<String>), Stop> {
        if start.on_busy != OnBusy::Interrupt {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut changes = Vec::new();
        for turn in self.waiting_turns(i64::MAX)? {
            changes.extend(self.withdraw(&turn, new_id(), start.at)?);
        }
        let running = self.running_turns()?;
        for turn in &running {
            self.mark_cancelled(turn)?;
        }
        let running = running.into_iter().map(|turn| turn.event_id);
        Ok((changes, running.collect()))
    }

    /// Queues the turn that will answer this message, and claims the oldest turn, if none is running. One that runs side
    /// by side with others is claimed itself.
    pub(super) fn queue(
        &mut self,
        message: &ThreadEvent,
        sealed: Option<&SealedAnswer>,
        start: &Start,
    ) -> Result<Option<Claim>, Stop> {
        // It is stored as running at once.
        let is_claimed = start.is_concurrent() || self.oldest_turn()?.is_none();
        let (state, claims) = if is_claimed {
            ("running", 1)
        } else {
            ("queued", 0)
        };
        let sealed_json = sql::sealed_column(sealed)?;
        self.db.execute(
            &self.db.sql.writes.insert_turn,
            params![
                self.row.pk,
                int(message.seq),
                message.id,
                state,
                claims,
                is_claimed.then_some(&start.node),
                is_claimed.then_some(end_of_lease(start.lease).timestamp_micros()),
                start.retries,
                slot(message.seq, start),
                sealed_json,
            ],
        )?;
        if is_claimed {
            let claim = self.begin_answer(message.clone(), 1, 1, start)?;
            Ok(Some(Claim {
                sealed: sealed.cloned(),
                ..claim
            }))
        } else {
            self.claim(start)
        }
    }

    /// Claims the oldest turn that waits, if it may be tried and none is running beside which it may not run.
    pub(super) fn claim(&mut self, start: &Start) -> Result<Option<Claim>, Stop> {
        let is_due = |turn: &Turn| is_due(turn.not_before, start.at);
        let turn = if start.is_concurrent() {
            // None waits for another one.
            self.waiting_turns(i64::MAX)?.into_iter().find(is_due)
        } else {
            self.next_turn()?.filter(is_due)
        };
        let Some(turn) = turn else {
            return Ok(None);
        };
        let (fence, attempt) = (turn.fence + 1, turn.attempt + 1);
        let values = params![
            self.row.pk,
            int(turn.seq),
            int(fence),
            int(attempt),
            start.node,
            end_of_lease(start.lease).timestamp_micros(),
            start.retries,
            slot(turn.seq, start),
        ];
        self.db.execute(&self.db.sql.writes.start_turn, values)?;
        let message = self.event_at(turn.seq)?;
        let claim = self.begin_answer(message, fence, attempt, start)?;
        Ok(Some(Claim {
            sealed: turn.sealed,
            ..claim
        }))
    }

    /// The oldest turn that waits, if none runs.
    fn next_turn(&self) -> Result<Option<Turn>, Stop> {
        let Some(oldest) = self.oldest_turn()? else {
            return Ok(None);
        };
        let is_free = !oldest.is_running && self.running_turns()?.is_empty();
        Ok(is_free.then_some(oldest))
    }

    /// Starts the run of a turn that was claimed, or goes on with that of an earlier attempt.
    fn begin_answer(
        &mut self,
        message: ThreadEvent,
        fence: u64,
        attempt: u64,
        start: &Start,
    ) -> Result<Claim, Stop> {
        let mut open = if attempt > 1 {
            self.open_runs(&message.id)?
        } else {
            Vec::new()
        };
        let mut changes = Vec::new();
        let run = match start.run(&self.row.record.agent, self.id(), &message.id) {
            Some(_) if !open.is_empty() => Some(open.swap_remove(0)),
            Some(run) => {
                let begun = self.upsert_run(run)?;
                let run = begun.run().cloned();
                changes.push(begun);
                run
            }
            None => {
                // The handler starts another one.
                for run in open {
                    changes.push(self.upsert_run(interrupted_run(run, start.at))?);
                }
                None
            }
        };
        Ok(Claim {
            key: TurnKey {
                thread_id: self.id().to_owned(),
                event_id: message.id.clone(),
                fence,
            },
            thread: self.row.record.clone(),
            event: message,
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            run,
            sealed: None,
            changes,
        })
    }

    fn event_at(&self, seq: u64) -> Result<ThreadEvent, Stop> {
        let place = params![self.row.pk, int(seq)];
        let event = self.db.first(&self.db.sql.writes.event_at, place, |row| {
            Ok(sql::event(row, self.id())?.0)
        })?;
        event.ok_or_else(|| Stop::Fault("a turn has no event".into()))
    }

    fn oldest_turn(&self) -> Result<Option<Turn>, Stop> {
        let place = params![self.row.pk];
        self.db
            .first(&self.db.sql.writes.oldest_turn, place, |row| {
                Turn::read(row)
            })
    }

    fn waiting_turns(&self, limit: i64) -> Result<Vec<Turn>, Stop> {
        let place = params![self.row.pk, limit];
        self.db
            .every(&self.db.sql.writes.waiting_turns, place, |row| {
                Turn::read(row)
            })
    }

    fn running_turns(&self) -> Result<Vec<Turn>, Stop> {
        let place = params![self.row.pk];
        self.db
            .every(&self.db.sql.writes.running_turns, place, |row| {
                Turn::read(row)
            })
    }

    /// The runs that answer this message and have not ended.
    fn open_runs(&self, event_id: &str) -> Result<Vec<Run>, Stop> {
        let place = params![self.row.pk, event_id];
        self.db.every(&self.db.sql.writes.open_runs, place, |row| {
            Ok(sql::run(row, self.id())?.0)
        })
    }

    /// Refuses whoever does not hold the turn. The result is the place of its message.
    pub(super) fn check_fence(&self, turn: &TurnKey) -> Result<u64, Stop> {
        let key = params![self.row.pk, turn.event_id, int(turn.fence)];
        let seq = self
            .db
            .first(&self.db.sql.writes.held_turn, key, |row| row.count(0))?;
        Ok(seq.ok_or(StoreError::StaleFence)?)
    }

    pub(super) fn end_turn(&self, seq: u64) -> Result<(), Stop> {
        let place = params![self.row.pk, int(seq)];
        self.db.execute(&self.db.sql.writes.end_turn, place)
    }

    /// Ends a turn that did not succeed.
    fn end_unanswered(&self, turn: &Turn) -> Result<(), Stop> {
        self.reopen_form(&turn.event_id)?;
        self.end_turn(turn.seq)
    }

    /// Lets the form that a message answers, if it answers one, be answered again: its turn did not succeed.
    pub(super) fn reopen_form(&self, event_id: &str) -> Result<(), Stop> {
        let place = params![self.row.pk, event_id];
        self.db.execute(&self.db.sql.writes.reopen_form, place)
    }

    /// Ends a turn as somebody wanted, with its runs.
    fn end_cancelled(&mut self, turn: &Turn, at: DateTime<Utc>) -> Result<Vec<Change>, Stop> {
        self.end_unanswered(turn)?;
        let open = self.open_runs(&turn.event_id)?.into_iter();
        let ends = open.map(|run| cancelled_run(run, at));
        ends.map(|run| self.upsert_run(run)).collect()
    }

    /// Lets a turn wait for another attempt, or ends it if somebody has cancelled it. The result is what changed by such
    /// an end.
    pub(super) fn give_back(
        &mut self,
        event_id: &str,
        not_before: DateTime<Utc>,
    ) -> Result<Option<Vec<Change>>, Stop> {
        let Some(turn) = self.turn_of(event_id)? else {
            return Ok(None);
        };
        if turn.is_cancelled {
            return Ok(Some(self.end_cancelled(&turn, timestamp::now())?));
        }
        self.requeue(turn.seq, Some(not_before))?;
        Ok(None)
    }

    /// Lets a turn wait for another attempt.
    fn requeue(&self, seq: u64, not_before: Option<DateTime<Utc>>) -> Result<(), Stop> {
        let not_before = not_before.map(|at| at.timestamp_micros());
        let place = params![self.row.pk, int(seq), not_before];
        self.db.execute(&self.db.sql.writes.requeue_turn, place)
    }

    /// The turn of a message that waits for its answer or is being answered.
    pub(super) fn turn_of(&self, event_id: &str) -> Result<Option<Turn>, Stop> {
        let key = params![self.row.pk, event_id];
        self.db
            .first(&self.db.sql.writes.turn_of, key, |row| Turn::read(row))
    }

    /// Withdraws the turn of this message if it waits, or marks it if it runs.
    pub(super) fn cancel(&mut self, event_id: &str, cancel: &Cancel) -> Result<Cancelled, Stop> {
        let Some(turn) = self.turn_of(event_id)? else {
            return Ok(Cancelled::Ended);
        };
        if turn.is_running {
            self.mark_cancelled(&turn)?;
            return Ok(Cancelled::Running {
                thread_id: self.id().to_owned(),
                event_id: turn.event_id,
            });
        }
        Ok(Cancelled::Withdrawn {
            changes: self.withdraw(&turn, cancel.run_id.clone(), cancel.at)?,
            waiting: self.waiting()?.filter(|_| turn.attempt > 0),
        })
    }

    fn mark_cancelled(&self, turn: &Turn) -> Result<(), Stop> {
        let place = params![self.row.pk, int(turn.seq)];
        self.db
            .execute(&self.db.sql.writes.mark_turn_cancelled, place)
    }

    /// Ends a turn that waits. Its run, which is a new one unless there was an attempt before, is canceled.
    fn withdraw(
        &mut self,
        turn: &Turn,
        run_id: String,
        at: DateTime<Utc>,
    ) -> Result<Vec<Change>, Stop> {
        self.end_unanswered(turn)?;
        let open = self.open_runs(&turn.event_id)?;
        let ends: Vec<Run> = if open.is_empty() {
            vec![withdrawn_run(
                run_id,
                &self.row.record.agent,
                (self.id(), &turn.event_id),
                at,
            )]
        } else {
            open.into_iter().map(|run| cancelled_run(run, at)).collect()
        };
        ends.into_iter().map(|run| self.upsert_run(run)).collect()
    }

    /// Ends the running turns, or only those whose lease ran out by a time, or lets them wait for another attempt.
    /// None if there are none.
    pub(super) fn interrupt(
        &mut self,
        at: DateTime<Utc>,
        by: Option<DateTime<Utc>>,
    ) -> Result<Option<Interrupted>, Stop> {
        let is_dead = |turn: &Turn| {
            let ran_out = |by| turn.lease_until.is_some_and(|until| until <= by);
            by.is_none_or(ran_out)
        };
        let mut interrupted = None;
        for turn in self.running_turns()?.into_iter().filter(is_dead) {
            let interrupted = interrupted.get_or_insert_with(Interrupted::default);
            let changes = &mut interrupted.changes;
            changes.extend(self.finalize_all(&turn.event_id)?);
            match AfterLoss::of(turn.is_cancelled, turn.attempt, turn.retries) {
                AfterLoss::Retry => {
                    self.requeue(turn.seq, None)?;
                    interrupted.retried += 1;
                }
                AfterLoss::Cancel => changes.extend(self.end_cancelled(&turn, at)?),
                AfterLoss::Fail => {
                    changes.extend(self.fail_lost(&turn, at)?);
                    interrupted.failed += 1;
                }
            }
        }
        Ok(interrupted)
    }

    fn fail_lost(&mut self, turn: &Turn, at: DateTime<Utc>) -> Result<Vec<Change>, Stop> {
        let open = self.open_runs(&turn.event_id)?;
        let run_id = open.first().map(|run| run.id.clone());
        let told = interrupted_event(self.id(), run_id, at);
        let (told, rev) = self.append(told, None, None)?;
        self.touch(at)?;
        let mut changes = vec![Change::of_event(told, rev), self.change_row()];
        for run in open {
            changes.push(self.upsert_run(interrupted_run(run, at))?);
        }
        self.end_unanswered(turn)?;
        Ok(changes)
    }

    /// The thread, if turns of it wait and none runs.
    pub(super) fn waiting(&self) -> Result<Option<Waiting>, Stop> {
        let Some(next) = self.next_turn()? else {
            return Ok(None);
        };
        let all = self.waiting_turns(i64::MAX)?;
        Ok(Some(Waiting {
            scope: self.row.record.scope(),
            thread_id: self.id().to_owned(),
            not_before: next.not_before,
            all_from: all.iter().filter_map(|turn| turn.not_before).max(),
        }))
    }
}

/// What keeps turns apart that may not run side by side.
fn slot(seq: u64, start: &Start) -> i64 {
    if start.is_concurrent() { int(seq) } else { 0 }
}
