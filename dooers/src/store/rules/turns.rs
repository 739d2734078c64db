//! The turns of a thread: who answers which message.

use crate::policy::OnBusy;
use crate::protocol::{Run, RunStatus, ThreadEvent, new_id};
use crate::store::claim::{
    AfterLoss, cancelled_run, end_of_lease, interrupted_event, interrupted_run, is_due,
    withdrawn_run,
};
use crate::store::state::ThreadState;
use crate::store::{
    Cancel, CancelTarget, Cancelled, Change, Claim, HeldTurn, KeyedDigest, SealedAnswer, Start,
    StoreError, TurnKey, Waiting,
};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A message that waits for an answer or is being answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TurnRow {
    /// The place of its message.
    pub(crate) seq: u64,
    pub(crate) event_id: String,
    pub(crate) is_running: bool,
    pub(crate) is_cancelled: bool,
    /// Raised by each claim.
    pub(crate) fence: u64,
    pub(crate) attempt: u64,
    pub(crate) retries: u64,
    /// From when on it may be claimed again.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// Whether it runs beside others of its thread.
    pub(crate) is_beside: bool,
    /// The values of the password fields, if the message is the answer to a form and filled any.
    pub(crate) sealed: Option<SealedAnswer>,
    /// Who runs it.
    pub(crate) held: Option<Held>,
}

/// Who runs a turn, and for how long it may.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) node: String,
    pub(crate) lease: Duration,
    /// When that ends, by the clock of who keeps the state.
    pub(crate) until: DateTime<Utc>,
}

impl Held {
    fn new(node: &str, lease: Duration) -> Self {
        Self {
            node: node.to_owned(),
            lease,
            until: end_of_lease(lease),
        }
    }
}

/// What became of the turns that a dead process left running in a thread.
#[derive(Debug, Default)]
pub(crate) struct Interrupted {
    pub(crate) changes: Vec<Change>,
    pub(crate) failed: usize,
    pub(crate) retried: usize,
}

impl TurnRow {
    fn new(message: &ThreadEvent, sealed: Option<&SealedAnswer>) -> Self {
        Self {
            seq: message.seq,
            event_id: message.id.clone(),
            is_running: false,
            is_cancelled: false,
            fence: 0,
            attempt: 0,
            retries: 0,
            not_before: None,
            is_beside: false,
            sealed: sealed.cloned(),
            held: None,
        }
    }

    /// Whether it waits, and may be tried now.
    fn is_due(&self, start: &Start) -> bool {
        !self.is_running && is_due(self.not_before, start.at)
    }
}

impl ThreadState {
    /// Refuses a message for which there is no room.
    pub(crate) fn check_busy(&self, start: &Start) -> Result<(), StoreError> {
        if self.turns.is_empty() {
            return Ok(());
        }
        start.check_busy(|| Ok(self.turns.iter().filter(|turn| !turn.is_running).count()))
    }

    /// Makes way for a message that interrupts: what waits is withdrawn, what runs is marked. The result is what changed,
    /// and the messages whose turns run.
    pub(crate) fn make_way(&mut self, start: &Start) -> (Vec<Change>, Vec<String>) {
        if start.on_busy != OnBusy::Interrupt {
            return (Vec::new(), Vec::new());
        }
        let (mut changes, mut running) = (Vec::new(), Vec::new());
        for turn in self.turns.clone() {
            if turn.is_running {
                self.mark_cancelled(&turn.event_id);
                running.push(turn.event_id);
            } else {
                changes.extend(self.withdraw(&turn.event_id, new_id(), start.at));
            }
        }
        (changes, running)
    }

    /// Queues the turn that will answer this message, and claims the oldest turn, if none is running. One that runs side
    /// by side with others is claimed itself.
    pub(crate) fn queue(
        &mut self,
        message: &ThreadEvent,
        sealed: Option<&SealedAnswer>,
        start: &Start,
    ) -> Option<Claim> {
        self.turns.push(TurnRow::new(message, sealed));
        if start.is_concurrent() {
            self.claim_at(self.turns.len() - 1, start)
        } else {
            self.claim(start)
        }
    }

    /// Claims the oldest turn that waits, if it may be tried and none is running beside which it may not run.
    pub(crate) fn claim(&mut self, start: &Start) -> Option<Claim> {
        let at = if start.is_concurrent() {
            // None waits for another one.
            self.turns.iter().position(|turn| turn.is_due(start))?
        } else {
            let next = self.next_turn()?;
            Some(next).filter(|at| self.turns[*at].is_due(start))?
        };
        self.claim_at(at, start)
    }

    /// Whether somebody wants this turn to end.
    pub(crate) fn is_cancelled(&self, event_id: &str) -> bool {
        let mut turns = self.turns.iter();
        turns.any(|turn| turn.event_id == event_id && turn.is_cancelled)
    }

    /// Ends a turn as somebody wanted, with its runs.
    pub(crate) fn end_cancelled(&mut self, event_id: &str, at: DateTime<Utc>) -> Vec<Change> {
        self.end_turn(event_id);
        let open = self.open_runs(event_id).into_iter();
        let ends = open.map(|run| cancelled_run(run, at));
        ends.map(|run| self.upsert_run(run)).collect()
    }

    /// The place of the oldest turn that waits, if none runs.
    fn next_turn(&self) -> Option<usize> {
        if self.turns.iter().any(|turn| turn.is_running) {
            return None;
        }
        self.turns.iter().position(|turn| !turn.is_running)
    }

    /// The message whose turn is the next to be claimed so, once none runs beside which it may not run.
    #[cfg(feature = "postgres")]
    pub(crate) fn next_message(&self, start: &Start) -> Option<&str> {
        let mut turns = self.turns.iter();
        let turn = if start.is_concurrent() {
            turns.find(|turn| turn.is_due(start))?
        } else {
            turns.find(|turn| !turn.is_running)?
        };
        Some(&turn.event_id)
    }

    /// Starts the run of a turn, or goes on with that of an earlier attempt.
    fn claim_at(&mut self, at: usize, start: &Start) -> Option<Claim> {
        let event = self.event(&self.turns.get(at)?.event_id)?.clone();
        let turn = self.turns.get_mut(at)?;
        turn.is_running = true;
        turn.is_beside = start.is_concurrent();
        turn.fence += 1;
        turn.attempt += 1;
        turn.retries = start.retries.into();
        turn.held = Some(Held::new(&start.node, start.lease));
        let (attempt, fence, event_id) = (turn.attempt, turn.fence, turn.event_id.clone());
        let sealed = turn.sealed.clone();
        let mut open = self.open_runs(&event_id);
        let mut changes = Vec::new();
        let run = match start.run(&self.agent, &self.thread.id, &event_id) {
            Some(_) if !open.is_empty() => Some(open.swap_remove(0)),
            Some(run) => {
                let begun = self.upsert_run(run);
                let run = begun.run().cloned();
                changes.push(begun);
                run
            }
            None => {
                // The handler starts another one.
                let ends = open.into_iter().map(|run| interrupted_run(run, start.at));
                changes.extend(ends.map(|run| self.upsert_run(run)));
                None
            }
        };
        Some(Claim {
            key: TurnKey {
                thread_id: self.thread.id.clone(),
                event_id,
                fence,
            },
            thread: self.record(),
            event,
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            run,
            sealed,
            changes,
        })
    }

    /// The runs that answer this message and have not ended.
    fn open_runs(&self, event_id: &str) -> Vec<Run> {
        let runs = self.runs.iter();
        runs.filter(|kept| {
            kept.run.event_id.as_deref() == Some(event_id) && kept.run.status == RunStatus::Running
        })
        .map(|kept| kept.run.clone())
        .collect()
    }

    /// Whether this message waits for its answer, or is being answered.
    pub(crate) fn has_turn(&self, event_id: &str) -> bool {
        self.turns.iter().any(|turn| turn.event_id == event_id)
    }

    /// The hash of an answer whose turn is not over, if it filled password fields.
    pub(crate) fn digest_of(&self, event_id: &str) -> Option<&KeyedDigest> {
        let turn = self.turns.iter().find(|turn| turn.event_id == event_id)?;
        turn.sealed.as_ref().map(|sealed| &sealed.digest)
    }

    pub(crate) fn check_fence(&self, turn: &TurnKey) -> Result<(), StoreError> {
        let is_held = self
            .turns
            .iter()
            .any(|row| row.is_running && row.event_id == turn.event_id && row.fence == turn.fence);
        if is_held {
            Ok(())
        } else {
            Err(StoreError::StaleFence)
        }
    }

    pub(crate) fn end_turn(&mut self, event_id: &str) {
        self.turns.retain(|turn| turn.event_id != event_id);
    }

    /// Lets a turn wait for another attempt.
    pub(crate) fn requeue(&mut self, event_id: &str, not_before: Option<DateTime<Utc>>) {
        if let Some(turn) = self.turn_mut(event_id) {
            turn.is_running = false;
            turn.is_beside = false;
            turn.held = None;
            turn.not_before = not_before;
        }
    }

    fn turn_mut(&mut self, event_id: &str) -> Option<&mut TurnRow> {
        self.turns.iter_mut().find(|turn| turn.event_id == event_id)
    }

    fn mark_cancelled(&mut self, event_id: &str) {
        if let Some(turn) = self.turn_mut(event_id) {
            turn.is_cancelled = true;
        }
    }

    /// Withdraws a turn that waits, or marks one that runs.
    pub(crate) fn cancel(&mut self, cancel: &Cancel) -> Cancelled {
        let event_id = match &cancel.target {
            CancelTarget::Event(id) => Some(id.clone()),
            CancelTarget::Run(id) => {
                let mut runs = self.runs.iter();
                let goes_on =
                    runs.find(|kept| kept.run.id == *id && kept.run.status == RunStatus::Running);
                goes_on.and_then(|kept| kept.run.event_id.clone())
            }
        };
        let mut turns = self.turns.iter();
        let turn = turns.find(|turn| Some(&turn.event_id) == event_id.as_ref());
        let Some(turn) = turn.cloned() else {
            return Cancelled::Ended;
        };
        if turn.is_running {
            self.mark_cancelled(&turn.event_id);
            return Cancelled::Running {
                thread_id: self.thread.id.clone(),
                event_id: turn.event_id,
            };
        }
        Cancelled::Withdrawn {
            changes: self.withdraw(&turn.event_id, cancel.run_id.clone(), cancel.at),
            waiting: self.waiting().filter(|_| turn.attempt > 0),
        }
    }

    /// Ends a turn that waits. Its run, which is a new one unless there was an attempt before, is canceled.
    fn withdraw(&mut self, event_id: &str, run_id: String, at: DateTime<Utc>) -> Vec<Change> {
        self.end_turn(event_id);
        let open = self.open_runs(event_id);
        let ends = if open.is_empty() {
            vec![withdrawn_run(
                run_id,
                &self.agent,
                (&self.thread.id, event_id),
                at,
            )]
        } else {
            open.into_iter().map(|run| cancelled_run(run, at)).collect()
        };
        ends.into_iter().map(|run| self.upsert_run(run)).collect()
    }

    /// Keeps the running turns of this process for longer.
    pub(crate) fn renew_leases(&mut self, node: &str, lease: Duration) -> Vec<HeldTurn> {
        let renew = |turn: &mut TurnRow| {
            let held = turn.held.as_mut().filter(|held| held.node == node)?;
            *held = Held::new(node, lease);
            Some(HeldTurn {
                event_id: turn.event_id.clone(),
                is_cancelled: turn.is_cancelled,
            })
        };
        self.turns.iter_mut().filter_map(renew).collect()
    }

    /// Ends the running turns, or only those whose lease ran out by a time, or lets them wait for another attempt.
    /// None if there are none.
    pub(crate) fn interrupt(
        &mut self,
        at: DateTime<Utc>,
        by: Option<DateTime<Utc>>,
    ) -> Option<Interrupted> {
        let is_dead = |turn: &&TurnRow| {
            let ran_out = |by| turn.held.as_ref().is_some_and(|held| held.until <= by);
            turn.is_running && by.is_none_or(ran_out)
        };
        let dead: Vec<TurnRow> = self.turns.iter().filter(is_dead).cloned().collect();
        let mut interrupted = None;
        for turn in dead {
            let interrupted = interrupted.get_or_insert_with(Interrupted::default);
            let changes = &mut interrupted.changes;
            changes.extend(self.finalize_all(&turn.event_id));
            match AfterLoss::of(turn.is_cancelled, turn.attempt, turn.retries) {
                AfterLoss::Retry => {
                    self.requeue(&turn.event_id, None);
                    interrupted.retried += 1;
                }
                AfterLoss::Cancel => changes.extend(self.end_cancelled(&turn.event_id, at)),
                AfterLoss::Fail => {
                    changes.extend(self.fail_lost(&turn.event_id, at));
                    interrupted.failed += 1;
                }
            }
        }
        interrupted
    }

    fn fail_lost(&mut self, event_id: &str, at: DateTime<Utc>) -> Vec<Change> {
        let open = self.open_runs(event_id);
        let run_id = open.first().map(|run| run.id.clone());
        let told = interrupted_event(&self.thread.id, run_id, at);
        let mut changes = vec![self.append(told, None)];
        self.touch(at);
        changes.push(self.change_row());
        for run in open {
            changes.push(self.upsert_run(interrupted_run(run, at)));
        }
        self.end_turn(event_id);
        changes
    }

    /// The thread, if turns of it wait and none runs.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let turn = &self.turns[self.next_turn()?];
        Some(Waiting {
            scope: self.record().scope(),
            thread_id: self.thread.id.clone(),
            not_before: turn.not_before,
            all_from: self.turns.iter().filter_map(|turn| turn.not_before).max(),
        })
    }
}
