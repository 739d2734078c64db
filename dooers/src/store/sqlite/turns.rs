//! The turns of a thread: who answers which message.

use super::database::Stop;
use super::rows::{self, Columns};
use super::thread::{OpenThread, int};
use crate::protocol::{Run, ThreadEvent};
use crate::store::claim::{interrupted_event, interrupted_run};
use crate::store::{Cancel, Cancelled, Change, Claim, Start, StoreError, TurnKey};
use chrono::{DateTime, Utc};
use rusqlite::params;

/// The oldest turn of a thread: only this one can be running.
#[derive(Debug)]
struct OldestTurn {
    seq: u64,
    event_id: String,
    is_running: bool,
    fence: u64,
    attempt: u64,
    lease_until: Option<i64>,
}

impl OpenThread<'_> {
    /// Queues the turn that will answer this message, and claims the oldest turn, if none is running.
    pub(super) fn queue(
        &mut self,
        message: &ThreadEvent,
        start: &Start,
    ) -> Result<Option<Claim>, Stop> {
        // The only turn is stored as running at once.
        let is_only = self.oldest_turn()?.is_none();
        let state = if is_only { "running" } else { "queued" };
        let claims = i64::from(is_only);
        let node = is_only.then_some(&start.node);
        let lease_until = is_only.then_some(start.lease_until.timestamp_micros());
        self.db.execute(
            &self.db.sql.insert_turn,
            params![
                self.row.pk,
                int(message.seq),
                message.id,
                state,
                claims,
                node,
                lease_until
            ],
        )?;
        if is_only {
            Ok(Some(self.begin_answer(message.clone(), 1, 1, start)?))
        } else {
            self.claim(start)
        }
    }

    /// Claims the oldest turn, if none is running, and starts its run.
    pub(super) fn claim(&mut self, start: &Start) -> Result<Option<Claim>, Stop> {
        let Some(turn) = self.oldest_turn()?.filter(|turn| !turn.is_running) else {
            return Ok(None);
        };
        let (fence, attempt) = (turn.fence + 1, turn.attempt + 1);
        let place = params![
            self.row.pk,
            int(turn.seq),
            int(fence),
            int(attempt),
            start.node,
            start.lease_until.timestamp_micros()
        ];
        self.db.execute(&self.db.sql.start_turn, place)?;
        let message = self.event_at(turn.seq)?;
        Ok(Some(self.begin_answer(message, fence, attempt, start)?))
    }

    /// Starts the run of a turn that was claimed.
    fn begin_answer(
        &mut self,
        message: ThreadEvent,
        fence: u64,
        attempt: u64,
        start: &Start,
    ) -> Result<Claim, Stop> {
        let run = start.run(&self.row.record.agent, self.id());
        let changes = match &run {
            Some(run) => vec![self.upsert_run(run.clone(), &message.id)?],
            None => Vec::new(),
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
            changes,
        })
    }

    fn event_at(&self, seq: u64) -> Result<ThreadEvent, Stop> {
        let place = params![self.row.pk, int(seq)];
        let event = self.db.first(&self.db.sql.event_at, place, |row| {
            Ok(rows::event(row, self.id())?.0)
        })?;
        event.ok_or_else(|| Stop::Fault("a turn has no event".into()))
    }

    fn oldest_turn(&self) -> Result<Option<OldestTurn>, Stop> {
        let place = params![self.row.pk];
        self.db.first(&self.db.sql.oldest_turn, place, |row| {
            Ok(OldestTurn {
                seq: row.count(0)?,
                event_id: row.text(1)?.to_owned(),
                is_running: row.text(2)? == "running",
                fence: row.count(3)?,
                attempt: row.count(4)?,
                lease_until: row.optional_number(5)?,
            })
        })
    }

    /// Refuses whoever does not hold the turn. The result is the place of its message.
    pub(super) fn check_fence(&self, turn: &TurnKey) -> Result<u64, Stop> {
        let key = params![self.row.pk, turn.event_id, int(turn.fence)];
        let seq = self
            .db
            .first(&self.db.sql.held_turn, key, |row| row.count(0))?;
        Ok(seq.ok_or(StoreError::StaleFence)?)
    }

    pub(super) fn end_turn(&self, seq: u64) -> Result<(), Stop> {
        let place = params![self.row.pk, int(seq)];
        self.db.execute(&self.db.sql.end_turn, place)
    }

    /// Withdraws the turn of this message if it waits, or marks it if it runs.
    pub(super) fn cancel(&mut self, event_id: &str, cancel: &Cancel) -> Result<Cancelled, Stop> {
        let key = params![self.row.pk, event_id];
        let turn = self.db.first(&self.db.sql.turn_of, key, |row| {
            Ok((row.count(0)?, row.text(1)? == "running"))
        })?;
        let Some((seq, is_running)) = turn else {
            return Ok(Cancelled::Ended);
        };
        if is_running {
            let place = params![self.row.pk, int(seq)];
            self.db.execute(&self.db.sql.mark_turn_cancelled, place)?;
            return Ok(Cancelled::Running {
                thread_id: self.id().to_owned(),
                event_id: event_id.to_owned(),
            });
        }
        self.end_turn(seq)?;
        let run = cancel.run(&self.row.record.agent, self.id());
        Ok(Cancelled::Withdrawn {
            changes: vec![self.upsert_run(run, event_id)?],
        })
    }

    /// Ends the running turn, or only one whose lease ran out before a time. The result is what changed by that.
    pub(super) fn interrupt(
        &mut self,
        at: DateTime<Utc>,
        before: Option<DateTime<Utc>>,
    ) -> Result<Option<Vec<Change>>, Stop> {
        let is_dead = |turn: &OldestTurn| {
            let ran_out = |before: DateTime<Utc>| {
                turn.lease_until
                    .is_some_and(|until| until < before.timestamp_micros())
            };
            turn.is_running && before.is_none_or(ran_out)
        };
        let Some(turn) = self.oldest_turn()?.filter(is_dead) else {
            return Ok(None);
        };
        let place = params![self.row.pk, turn.event_id];
        let open: Vec<Run> = self.db.every(&self.db.sql.open_runs, place, |row| {
            Ok(rows::run(row, self.id())?.0)
        })?;
        let run_id = open.first().map(|run| run.id.clone());
        let mut changes = self.finalize_all(&turn.event_id)?;
        let told = interrupted_event(self.id(), run_id, at);
        let (told, rev) = self.append(told, None, None)?;
        self.touch(at);
        changes.extend([Change::of_event(told, rev), self.change_row()]);
        for run in open {
            changes.push(self.upsert_run(interrupted_run(run, at), &turn.event_id)?);
        }
        self.end_turn(turn.seq)?;
        Ok(Some(changes))
    }

    pub(super) fn has_waiting_turn(&self) -> Result<bool, Stop> {
        Ok(self.oldest_turn()?.is_some_and(|turn| !turn.is_running))
    }
}
