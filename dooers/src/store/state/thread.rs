//! One thread in memory.

use crate::protocol::{Run, RunStatus, ThreadEvent};
use crate::store::claim::end_of_lease;
use crate::store::list_clock::ListClock;
use crate::store::page::Known;
use crate::store::rules::{ThreadRow, TurnRow};
use crate::store::{CancelTarget, HeldTurn, Scope, ThreadRecord, TurnKey};
use std::time::Duration;

/// One thread with what is in it, or with as much of it as an operation needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ThreadState {
    pub(crate) row: ThreadRow,
    /// In the order of their places. Those whose text grows, and the messages of turns that may be claimed, are always
    /// among them.
    pub(crate) events: Vec<KeptEvent>,
    /// In the order in which they began. Those that go on are always among them.
    pub(crate) runs: Vec<KeptRun>,
    /// All of them, in the order of their messages.
    pub(crate) turns: Vec<TurnRow>,
    /// The clock of the list in which the thread is.
    pub(crate) clock: ListClock,
}

/// An event, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptEvent {
    pub(crate) event: ThreadEvent,
    /// The number of the change that made it.
    pub(crate) first_rev: u64,
    /// The number of its last change.
    pub(crate) rev: u64,
    /// The message whose turn writes it, as long as its text grows.
    pub(crate) open_in: Option<String>,
    /// The event of the form that it answers, if it is the answer that counts.
    pub(crate) answers: Option<String>,
}

/// A run, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptRun {
    pub(crate) run: Run,
    /// The number of the change that made it.
    pub(crate) first_rev: u64,
    /// The number of its last change.
    pub(crate) rev: u64,
}

impl KeptEvent {
    /// What a reader has who has all up to this event, as it was when it was new.
    pub(crate) fn place(&self) -> Known {
        Known {
            last_seq: self.event.seq,
            rev: self.first_rev,
        }
    }

    /// Whether its text grows in the turn of this message.
    pub(super) fn is_open_in(&self, turn: &str) -> bool {
        self.open_in.as_deref() == Some(turn)
    }
}

impl KeptRun {
    /// Whether it answers this message and has not ended.
    pub(super) fn is_open(&self, event_id: &str) -> bool {
        self.run.event_id.as_deref() == Some(event_id) && self.run.status == RunStatus::Running
    }
}

impl ThreadState {
    /// A thread with this row and nothing in it.
    pub(crate) fn new(row: ThreadRow, clock: ListClock) -> Self {
        Self {
            row,
            events: Vec::new(),
            runs: Vec::new(),
            turns: Vec::new(),
            clock,
        }
    }

    pub(crate) fn record(&self) -> ThreadRecord {
        self.row.record.clone()
    }

    /// Whether the thread lies in this scope, without regard to the scope's viewer.
    pub(super) fn lies_in(&self, scope: &Scope) -> bool {
        let (record, thread) = (&self.row.record, &self.row.record.thread);
        record.agent == scope.agent
            && thread.worker_id == scope.worker_id
            && thread.organization_id == scope.organization_id
            && thread.workspace_id == scope.workspace_id
    }

    /// Whether the thread can be seen in this scope.
    pub(crate) fn is_visible_in(&self, scope: &Scope) -> bool {
        self.lies_in(scope) && scope.admits(&self.row.record.participants)
    }

    pub(crate) fn event(&self, event_id: &str) -> Option<&ThreadEvent> {
        self.kept_event(event_id).map(|kept| &kept.event)
    }

    pub(crate) fn kept_event(&self, event_id: &str) -> Option<&KeptEvent> {
        self.events.iter().find(|kept| kept.event.id == event_id)
    }

    pub(crate) fn run(&self, run_id: &str) -> Option<&Run> {
        let mut runs = self.runs.iter();
        runs.find(|kept| kept.run.id == run_id)
            .map(|kept| &kept.run)
    }

    /// Whether the form is answered: by an answer whose turn waits, runs or has succeeded. It stays so if that answer is
    /// removed later.
    pub(crate) fn has_answer_to(&self, form_event_id: &str) -> bool {
        let mut answers = self.events.iter().filter_map(|kept| kept.answers.as_ref());
        answers.any(|form| form == form_event_id)
    }

    /// Whether the thread has what is named.
    pub(super) fn has(&self, target: &CancelTarget) -> bool {
        match target {
            CancelTarget::Run(id) => self.run(id).is_some(),
            CancelTarget::Event(id) => self.event(id).is_some(),
        }
    }

    /// Takes the times of the thread into account in the clock of its list.
    #[cfg(feature = "postgres")]
    pub(crate) fn note_times(&self) {
        let runs = self.runs.iter().map(|kept| kept.run.started_at);
        for at in runs.chain([self.row.record.thread.last_event_at]) {
            self.clock.note(at.timestamp_micros());
        }
    }

    /// Keeps the running turns of this process for longer.
    pub(crate) fn renew_leases(&mut self, node: &str, lease: Duration) -> Vec<HeldTurn> {
        let (thread_id, scope) = (self.record().thread.id.clone(), self.record().scope());
        let renew = |turn: &mut TurnRow| {
            let held = turn.held.as_mut().filter(|held| held.node == node)?;
            held.lease = lease;
            held.until = end_of_lease(lease);
            Some(HeldTurn {
                key: TurnKey {
                    thread_id: thread_id.clone(),
                    event_id: turn.event_id.clone(),
                    fence: turn.fence,
                },
                scope: scope.clone(),
                is_cancelled: turn.is_cancelled,
            })
        };
        self.turns.iter_mut().filter_map(renew).collect()
    }
}
