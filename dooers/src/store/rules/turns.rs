//! The turns of a thread: the order in which messages are answered.

use super::rows::{ThreadRows, TurnRow};
use super::thread::OpenThread;
use crate::protocol::{Run, ThreadEvent, new_id};
use crate::store::OnBusy;
use crate::store::claim::{cancelled_run, interrupted_run, withdrawn_run};
use crate::store::{
    Change, Claim, ClaimOptions, NewMessage, Origin, PendingThread, StoreError, TurnKey,
};
use chrono::{DateTime, Utc};

impl<R: ThreadRows> OpenThread<R> {
    /// Refuses a message if the policy of the agent does not accept one now.
    pub(super) fn check_busy(&self, start: &ClaimOptions) -> Result<(), R::Error> {
        if self.rows.oldest_turn()?.is_none() {
            return Ok(());
        }
        start.check_busy(|| self.rows.count_waiting())
    }

    /// Preempts other turns if the policy is [`OnBusy::Interrupt`]: withdraws the waiting turns and marks the running
    /// ones as cancelled. Returns the changes, and the messages of the running turns.
    pub(super) fn preempt(
        &mut self,
        start: &ClaimOptions,
    ) -> Result<(Vec<Change>, Vec<String>), R::Error> {
        if start.on_busy != OnBusy::Interrupt {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut changes = Vec::new();
        for turn in self.rows.waiting_turns()? {
            changes.extend(self.withdraw(&turn, new_id(), start.at)?);
        }
        let mut running = Vec::new();
        for turn in self.rows.running_turns()? {
            running.push(turn.event_id.clone());
            self.mark_cancelled(turn)?;
        }
        Ok((changes, running))
    }

    /// Queues the turn that will answer a message, and claims the oldest turn if none runs. A concurrent turn is
    /// claimed itself.
    pub(super) fn queue(
        &mut self,
        message: &ThreadEvent,
        new: &NewMessage,
        start: &ClaimOptions,
    ) -> Result<Option<Claim>, R::Error> {
        let mut turn = TurnRow::new(message, new);
        if start.is_concurrent() || self.rows.oldest_turn()?.is_none() {
            // The turn is stored as running at once.
            turn.begin(start);
            self.rows.insert_turn(turn.clone())?;
            return Ok(Some(self.begin_answer(turn, message.clone(), start)?));
        }
        self.rows.insert_turn(turn)?;
        self.claim(start)
    }

    /// Claims the oldest waiting turn if it is due. Unless turns run concurrently, no other turn may be running.
    pub(super) fn claim(&mut self, start: &ClaimOptions) -> Result<Option<Claim>, R::Error> {
        let turn = if start.is_concurrent() {
            // Concurrent turns do not wait for each other.
            let waiting = self.rows.waiting_turns()?;
            waiting.into_iter().find(|turn| turn.is_due(start))
        } else {
            self.next_turn()?.filter(|turn| turn.is_due(start))
        };
        let Some(mut turn) = turn else {
            return Ok(None);
        };
        let message = self.rows.message_of(&turn)?;
        turn.begin(start);
        self.rows.update_turn(&turn)?;
        Ok(Some(self.begin_answer(turn, message, start)?))
    }

    /// Returns the oldest waiting turn, if no turn runs.
    fn next_turn(&self) -> Result<Option<TurnRow>, R::Error> {
        let Some(oldest) = self.rows.oldest_turn()? else {
            return Ok(None);
        };
        let is_free = !oldest.is_running && self.rows.running_turns()?.is_empty();
        Ok(is_free.then_some(oldest))
    }

    /// Starts the run of a turn that was claimed, or continues the run of an earlier attempt.
    fn begin_answer(
        &mut self,
        turn: TurnRow,
        message: ThreadEvent,
        start: &ClaimOptions,
    ) -> Result<Claim, R::Error> {
        // Before the first attempt, a run that names the message was created by the program, not by a turn.
        let mut open = if turn.attempt > 1 {
            self.rows.open_runs(&message.id)?
        } else {
            Vec::new()
        };
        let mut changes = Vec::new();
        let run = match start.run(self.agent(), self.id(), &message.id) {
            Some(_) if !open.is_empty() => Some(open.swap_remove(0)),
            Some(run) => {
                let begun = self.put_run(run)?;
                let run = begun.run().cloned();
                changes.push(begun);
                run
            }
            None => {
                // The handler starts a new run, so the runs of the earlier attempt end.
                let ends = open.into_iter().map(|run| interrupted_run(run, start.at));
                changes.extend(self.update_runs(ends)?);
                None
            }
        };
        Ok(self.claim_of(turn, message, run, changes))
    }

    /// Returns the claim of a running turn again.
    pub(super) fn resume(&self, key: &TurnKey) -> Result<Claim, R::Error> {
        let turn = self.held(key)?;
        let message = self.rows.message_of(&turn)?;
        let mut open = self.rows.open_runs(&message.id)?;
        let run = if turn.attempt > 1 && !open.is_empty() {
            Some(open.swap_remove(0))
        } else {
            // Runs that the program started while the message waited come first.
            open.pop()
        };
        Ok(self.claim_of(turn, message, run, Vec::new()))
    }

    fn claim_of(
        &self,
        turn: TurnRow,
        message: ThreadEvent,
        run: Option<Run>,
        changes: Vec<Change>,
    ) -> Claim {
        Claim {
            key: TurnKey {
                thread_id: self.id().to_owned(),
                event_id: turn.event_id,
                fence: turn.fence,
            },
            thread: self.record(),
            event: message,
            attempt: u32::try_from(turn.attempt).unwrap_or(u32::MAX),
            run,
            sealed: turn.sealed,
            identity: turn.identity,
            changes,
        }
    }

    /// Returns the turn of a claim, or refuses the operation if the claim is no longer valid.
    pub(super) fn held(&self, key: &TurnKey) -> Result<TurnRow, R::Error> {
        let turn = self.rows.turn_of(&key.event_id)?;
        let held = turn.filter(|turn| turn.is_running && turn.fence == key.fence);
        Ok(held.ok_or(StoreError::StaleFence)?)
    }

    /// Requeues a turn for another attempt.
    pub(super) fn requeue(
        &mut self,
        mut turn: TurnRow,
        not_before: Option<DateTime<Utc>>,
    ) -> Result<(), R::Error> {
        turn.wait(not_before);
        self.rows.update_turn(&turn)
    }

    pub(super) fn mark_cancelled(&mut self, mut turn: TurnRow) -> Result<(), R::Error> {
        turn.is_cancelled = true;
        self.rows.update_turn(&turn)
    }

    /// Ends a turn that did not succeed. If its message answers a form, the form can be answered again.
    pub(super) fn end_unanswered(&mut self, turn: &TurnRow) -> Result<(), R::Error> {
        self.rows.reopen_form(&turn.event_id)?;
        self.rows.delete_turn(turn)
    }

    /// Ends a cancelled turn and its runs.
    pub(super) fn end_cancelled(
        &mut self,
        turn: &TurnRow,
        at: DateTime<Utc>,
    ) -> Result<Vec<Change>, R::Error> {
        self.end_unanswered(turn)?;
        let open = self.rows.open_runs(&turn.event_id)?;
        let ended = self.update_runs(open.into_iter().map(|run| cancelled_run(run, at)))?;
        let origin = Origin::EndedTurn(turn.attempt);
        Ok(ended.into_iter().map(|change| change.by(origin)).collect())
    }

    /// Ends a waiting turn. The run of an earlier attempt is canceled. Without one, a canceled run is created.
    pub(super) fn withdraw(
        &mut self,
        turn: &TurnRow,
        run_id: String,
        at: DateTime<Utc>,
    ) -> Result<Vec<Change>, R::Error> {
        let changes = self.end_cancelled(turn, at)?;
        if !changes.is_empty() {
            return Ok(changes);
        }
        let place = (self.id(), turn.event_id.as_str());
        let run = withdrawn_run(run_id, self.agent(), place, at);
        let origin = Origin::EndedTurn(turn.attempt);
        Ok(vec![self.put_run(run)?.by(origin)])
    }

    /// Stores the new states of runs that were read from the rows.
    pub(super) fn update_runs(
        &mut self,
        runs: impl IntoIterator<Item = Run>,
    ) -> Result<Vec<Change>, R::Error> {
        let runs = runs.into_iter();
        runs.map(|run| self.update_run(run)).collect()
    }

    /// Returns the thread with the times of its next claims, if turns of it wait and none runs.
    pub(super) fn waiting(&self) -> Result<Option<PendingThread>, R::Error> {
        let Some(next) = self.next_turn()? else {
            return Ok(None);
        };
        let all = self.rows.waiting_turns()?;
        Ok(Some(PendingThread {
            scope: self.rows.row().record.scope(),
            thread_id: self.id().to_owned(),
            not_before: next.not_before,
            all_from: all.iter().filter_map(|turn| turn.not_before).max(),
        }))
    }
}
