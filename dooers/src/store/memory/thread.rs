//! One thread in memory, and what writing does to it.

use crate::protocol::{ContentPart, Run, RunStatus, Thread, ThreadEvent};
use crate::store::claim::{finalized, interrupted_event, interrupted_run};
use crate::store::page::Known;
use crate::store::{
    Cancel, CancelTarget, Cancelled, Change, Claim, NewMessage, Participant, Scope, Start,
    StoreError, ThreadRecord, TurnChange, TurnKey,
};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;

/// One thread with all that is in it.
#[derive(Debug)]
pub(super) struct ThreadState {
    pub(super) thread: Thread,
    pub(super) agent: String,
    pub(super) participants: Vec<Participant>,
    /// The number of the last change.
    pub(super) rev: u64,
    /// The number of the last change of the thread's own row.
    pub(super) row_rev: u64,
    /// In the order of their `seq`, which begins with 1.
    pub(super) events: Vec<KeptEvent>,
    pub(super) runs: Vec<KeptRun>,
    /// In the order of their messages; only the first can be running.
    turns: VecDeque<TurnRow>,
}

#[derive(Debug)]
pub(super) struct KeptEvent {
    pub(super) event: ThreadEvent,
    /// The number of the change that made it.
    pub(super) first_rev: u64,
    /// The number of its last change.
    pub(super) rev: u64,
    /// The message whose turn writes it, as long as its text grows.
    open_in: Option<String>,
}

#[derive(Debug)]
pub(super) struct KeptRun {
    pub(super) run: Run,
    /// The message that it answers.
    event_id: String,
    /// The number of the change that made it.
    pub(super) first_rev: u64,
    /// The number of its last change.
    pub(super) rev: u64,
}

impl KeptEvent {
    /// What a reader has who has all up to this event, as it was when it was new.
    pub(super) fn place(&self) -> Known {
        Known {
            last_seq: self.event.seq,
            rev: self.first_rev,
        }
    }
}

#[derive(Debug)]
struct TurnRow {
    event_id: String,
    is_running: bool,
    fence: u64,
    attempt: u32,
    /// Who runs it, and until when it may.
    held: Option<(String, DateTime<Utc>)>,
}

impl ThreadState {
    pub(super) fn new(thread: Thread, agent: String, owner: Participant) -> (Self, Change) {
        let state = Self {
            thread,
            agent,
            participants: vec![owner],
            rev: 1,
            row_rev: 1,
            events: Vec::new(),
            runs: Vec::new(),
            turns: VecDeque::new(),
        };
        let created = Change::of_thread(state.record(), 1);
        (state, created)
    }

    pub(super) fn record(&self) -> ThreadRecord {
        ThreadRecord {
            thread: self.thread.clone(),
            agent: self.agent.clone(),
            participants: self.participants.clone(),
            rev: self.rev,
        }
    }

    pub(super) fn is_visible_in(&self, scope: &Scope) -> bool {
        self.agent == scope.agent
            && self.thread.worker_id == scope.worker_id
            && self.thread.organization_id == scope.organization_id
            && self.thread.workspace_id == scope.workspace_id
            && scope.admits(&self.participants)
    }

    pub(super) fn event(&self, event_id: &str) -> Option<&ThreadEvent> {
        self.kept_event(event_id).map(|kept| &kept.event)
    }

    pub(super) fn kept_event(&self, event_id: &str) -> Option<&KeptEvent> {
        self.events.iter().find(|kept| kept.event.id == event_id)
    }

    pub(super) fn has_answer_to(&self, form_event_id: &str) -> bool {
        self.events.iter().any(|kept| {
            kept.event.kind == crate::protocol::EventType::FormResponse
                && kept
                    .event
                    .data
                    .as_ref()
                    .and_then(|data| data.get("form_event_id"))
                    .is_some_and(|id| id == form_event_id)
        })
    }

    /// Adds who writes to those who take part.
    pub(super) fn meet(&mut self, new: &NewMessage) -> Option<Change> {
        let mut is_changed = false;
        if !self.participants.contains(&new.participant) {
            self.participants.push(new.participant.clone());
        }
        if let Some(user) = new.shown_user() {
            let users = &mut self.thread.users;
            match users.iter_mut().find(|known| known.user_id == user.user_id) {
                Some(known) if known == user => {}
                Some(known) => {
                    *known = user.clone();
                    is_changed = true;
                }
                None => {
                    users.push(user.clone());
                    is_changed = true;
                }
            }
        }
        is_changed.then(|| {
            self.thread.updated_at = new.at;
            self.change_row()
        })
    }

    /// Appends a user's message and queues the turn that will answer it.
    pub(super) fn append_message(&mut self, new: &NewMessage) -> (ThreadEvent, Change) {
        self.touch(new.at);
        let change = self.append(new.event(0), None);
        self.turns.push_back(TurnRow {
            event_id: new.event_id.clone(),
            is_running: false,
            fence: 0,
            attempt: 0,
            held: None,
        });
        let event = self.events.last().map(|kept| kept.event.clone());
        (event.unwrap_or_else(|| new.event(0)), change)
    }

    /// Claims the oldest turn, if none is running, and starts its run.
    pub(super) fn claim(&mut self, start: &Start) -> Option<Claim> {
        let turn = self.turns.front_mut().filter(|turn| !turn.is_running)?;
        turn.is_running = true;
        turn.fence += 1;
        turn.attempt += 1;
        turn.held = Some((start.node.clone(), start.lease_until));
        let attempt = turn.attempt;
        let key = TurnKey {
            thread_id: self.thread.id.clone(),
            event_id: turn.event_id.clone(),
            fence: turn.fence,
        };
        let event = self.event(&key.event_id)?.clone();
        let run = start.run(&self.agent, &self.thread.id);
        let changes = run
            .clone()
            .map(|run| self.upsert_run(run, &key.event_id))
            .into_iter()
            .collect();
        Some(Claim {
            key,
            thread: self.record(),
            event,
            attempt,
            run,
            changes,
        })
    }

    pub(super) fn check_fence(&self, turn: &TurnKey) -> Result<(), StoreError> {
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

    pub(super) fn apply(&mut self, turn: &TurnKey, changes: Vec<TurnChange>) -> Vec<Change> {
        changes
            .into_iter()
            .filter_map(|change| match change {
                TurnChange::Event(event) => {
                    let open_in = event.streaming.and(Some(turn.event_id.clone()));
                    Some(self.append(*event, open_in))
                }
                TurnChange::Text {
                    event_id,
                    text,
                    delta_seq,
                } => {
                    let kept = self.open_event(&turn.event_id, &event_id)?;
                    kept.event.content = Some(vec![ContentPart::text(text)]);
                    kept.event.delta_seq = Some(delta_seq);
                    None
                }
                TurnChange::Finalize { event_id, text } => {
                    self.finalize(&turn.event_id, &event_id, Some(&text))
                }
                TurnChange::Patch { patch, at } => {
                    self.thread.title = patch.title.or(self.thread.title.take());
                    self.thread.metadata = patch.metadata.or(self.thread.metadata.take());
                    self.thread.updated_at = at;
                    Some(self.change_row())
                }
                TurnChange::Touch(at) => {
                    self.touch(at);
                    Some(self.change_row())
                }
                TurnChange::Run(run) => Some(self.upsert_run(run, &turn.event_id)),
            })
            .collect()
    }

    /// An event whose text grows in the turn of a message.
    fn open_event(&mut self, turn: &str, event_id: &str) -> Option<&mut KeptEvent> {
        let is_meant = |kept: &&mut KeptEvent| {
            kept.event.id == event_id && kept.open_in.as_deref() == Some(turn)
        };
        self.events.iter_mut().find(is_meant)
    }

    /// Ends the growing of a text. None if it does not grow.
    fn finalize(&mut self, turn: &str, event_id: &str, text: Option<&str>) -> Option<Change> {
        let rev = self.rev + 1;
        let kept = self.open_event(turn, event_id)?;
        kept.event = finalized(kept.event.clone(), text);
        kept.rev = rev;
        kept.open_in = None;
        let event = kept.event.clone();
        self.rev = rev;
        Some(Change::of_event(event, rev))
    }

    /// Ends the growing of the texts of a turn that is over, with what is stored of them.
    pub(super) fn finalize_all(&mut self, turn: &str) -> Vec<Change> {
        let open = self
            .events
            .iter()
            .filter(|kept| kept.open_in.as_deref() == Some(turn));
        let ids: Vec<_> = open.map(|kept| kept.event.id.clone()).collect();
        ids.iter()
            .filter_map(|id| self.finalize(turn, id, None))
            .collect()
    }

    pub(super) fn end_turn(&mut self, event_id: &str) {
        self.turns.retain(|turn| turn.event_id != event_id);
    }

    /// Whether the thread has what is named.
    pub(super) fn has(&self, target: &CancelTarget) -> bool {
        match target {
            CancelTarget::Run(id) => self.runs.iter().any(|kept| kept.run.id == *id),
            CancelTarget::Event(id) => self.event(id).is_some(),
        }
    }

    /// Withdraws a turn that waits, or tells that it runs.
    pub(super) fn cancel(&mut self, cancel: &Cancel) -> Cancelled {
        let event_id = match &cancel.target {
            CancelTarget::Event(id) => Some(id.clone()),
            CancelTarget::Run(id) => {
                let goes_on =
                    |kept: &&KeptRun| kept.run.id == *id && kept.run.status == RunStatus::Running;
                self.runs
                    .iter()
                    .find(goes_on)
                    .map(|kept| kept.event_id.clone())
            }
        };
        let turn = self
            .turns
            .iter()
            .find(|turn| Some(&turn.event_id) == event_id.as_ref());
        let Some(TurnRow {
            event_id,
            is_running,
            ..
        }) = turn
        else {
            return Cancelled::Ended;
        };
        let event_id = event_id.clone();
        if *is_running {
            return Cancelled::Running {
                thread_id: self.thread.id.clone(),
                event_id,
            };
        }
        self.end_turn(&event_id);
        let run = cancel.run(&self.agent, &self.thread.id);
        Cancelled::Withdrawn {
            changes: vec![self.upsert_run(run, &event_id)],
        }
    }

    /// Keeps the running turn of this process for longer. The result is the message that it answers.
    pub(super) fn renew_lease(&mut self, node: &str, lease_until: DateTime<Utc>) -> Option<String> {
        let turn = self.turns.front_mut()?;
        let (_, until) = turn.held.as_mut().filter(|(holder, _)| holder == node)?;
        *until = lease_until;
        Some(turn.event_id.clone())
    }

    /// Ends the running turn, or only one whose lease ran out before a time. The result is what changed by that.
    pub(super) fn interrupt(
        &mut self,
        at: DateTime<Utc>,
        before: Option<DateTime<Utc>>,
    ) -> Option<Vec<Change>> {
        let is_dead = |turn: &&TurnRow| {
            let ran_out = |before| turn.held.as_ref().is_some_and(|(_, until)| *until < before);
            turn.is_running && before.is_none_or(ran_out)
        };
        let turn = self.turns.front().filter(is_dead)?;
        let event_id = turn.event_id.clone();
        let open: Vec<Run> = self
            .runs
            .iter()
            .filter(|kept| kept.event_id == event_id && kept.run.status == RunStatus::Running)
            .map(|kept| kept.run.clone())
            .collect();
        let run_id = open.first().map(|run| run.id.clone());
        let mut changes = self.finalize_all(&event_id);
        changes.push(self.append(interrupted_event(&self.thread.id.clone(), run_id, at), None));
        self.touch(at);
        changes.push(self.change_row());
        for run in open {
            changes.push(self.upsert_run(interrupted_run(run, at), &event_id));
        }
        self.end_turn(&event_id);
        Some(changes)
    }

    pub(super) fn has_waiting_turn(&self) -> bool {
        self.turns.front().is_some_and(|turn| !turn.is_running)
    }

    fn next_rev(&mut self) -> u64 {
        self.rev += 1;
        self.rev
    }

    /// The clock may go back; a thread's place in the list does not.
    fn touch(&mut self, at: DateTime<Utc>) {
        self.thread.last_event_at = self.thread.last_event_at.max(at);
    }

    fn change_row(&mut self) -> Change {
        self.row_rev = self.next_rev();
        Change::of_thread(self.record(), self.row_rev)
    }

    fn append(&mut self, mut event: ThreadEvent, open_in: Option<String>) -> Change {
        event.seq = self.events.len() as u64 + 1;
        let rev = self.next_rev();
        self.events.push(KeptEvent {
            event: event.clone(),
            first_rev: rev,
            rev,
            open_in,
        });
        Change::of_event(event, rev)
    }

    fn upsert_run(&mut self, mut run: Run, event_id: &str) -> Change {
        let rev = self.next_rev();
        match self.runs.iter_mut().find(|kept| kept.run.id == run.id) {
            Some(kept) => {
                run.started_at = kept.run.started_at;
                kept.run = run.clone();
                kept.rev = rev;
            }
            None => self.runs.push(KeptRun {
                run: run.clone(),
                event_id: event_id.to_owned(),
                first_rev: rev,
                rev,
            }),
        }
        Change::of_run(run, rev)
    }
}
