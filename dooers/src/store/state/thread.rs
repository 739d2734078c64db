//! One thread in memory.

use crate::protocol::{FeedbackTarget, Run, RunStatus, ThreadEvent};
use crate::store::claim::end_of_lease;
use crate::store::feedback::KeptFeedback;
use crate::store::list_clock::ListClock;
use crate::store::page::ClientCheckpoint;
use crate::store::rules::{ThreadRow, TurnRow};
use crate::store::{CancelTarget, HeldTurn, Participant, Scope, ThreadRecord, TurnKey, TurnState};
use std::time::Duration;

/// A thread in memory, completely or as far as an operation needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ThreadState {
    pub(crate) row: ThreadRow,
    /// The events, ordered by `seq`. They always include the streaming events, and the messages of turns that may be
    /// claimed.
    pub(crate) events: Vec<KeptEvent>,
    /// The runs, ordered by their start. They always include the runs that have not ended.
    pub(crate) runs: Vec<KeptRun>,
    /// All turns, in the order of their messages.
    pub(crate) turns: Vec<TurnRow>,
    pub(crate) feedback: Vec<KeptFeedback>,
    /// The clock of the list that contains the thread.
    pub(crate) clock: ListClock,
}

/// An event with the columns that clients do not see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptEvent {
    pub(crate) event: ThreadEvent,
    /// The `rev` of the change that created the event.
    pub(crate) first_rev: u64,
    /// The `rev` of its last change.
    pub(crate) rev: u64,
    /// The message whose turn streams the event, until it is finalized.
    pub(crate) open_in: Option<String>,
    /// The event of the form that this event answers, if it is the accepted answer.
    pub(crate) answers: Option<String>,
}

/// A run with the columns that clients do not see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptRun {
    pub(crate) run: Run,
    /// The `rev` of the change that created the run.
    pub(crate) first_rev: u64,
    /// The `rev` of its last change.
    pub(crate) rev: u64,
}

impl KeptEvent {
    /// Returns the place of a reader that has everything up to this event, as it was when it was new.
    pub(crate) fn place(&self) -> ClientCheckpoint {
        ClientCheckpoint {
            last_seq: self.event.seq,
            rev: self.first_rev,
        }
    }

    /// Returns `true` if the event is streaming in the turn of this message.
    pub(super) fn is_open_in(&self, turn: &str) -> bool {
        self.open_in.as_deref() == Some(turn)
    }
}

impl KeptRun {
    /// Returns `true` if the run answers this message and has not ended.
    pub(super) fn is_open(&self, event_id: &str) -> bool {
        self.run.event_id.as_deref() == Some(event_id) && self.run.status == RunStatus::Running
    }
}

impl ThreadState {
    /// Creates a thread with this row, without events, runs, turns and feedback.
    pub(crate) fn new(row: ThreadRow, clock: ListClock) -> Self {
        Self {
            row,
            events: Vec::new(),
            runs: Vec::new(),
            turns: Vec::new(),
            feedback: Vec::new(),
            clock,
        }
    }

    pub(crate) fn record(&self) -> ThreadRecord {
        self.row.record.clone()
    }

    /// Returns `true` if the thread is visible in this scope.
    pub(crate) fn is_visible_in(&self, scope: &Scope) -> bool {
        self.row.record.is_visible_in(scope)
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

    /// Returns the state of the turn of an event. `None` if the event is not in the thread.
    pub(crate) fn turn_state(&self, event_id: &str) -> Option<TurnState> {
        self.event(event_id)?;
        let turn = self.turns.iter().find(|turn| turn.event_id == event_id);
        Some(match turn {
            Some(turn) if turn.is_running => TurnState::Running,
            Some(_) => TurnState::Queued,
            None => TurnState::Ended,
        })
    }

    /// Returns the feedback of a participant on a target.
    pub(crate) fn feedback_of(
        &self,
        participant: &Participant,
        target: &FeedbackTarget,
    ) -> Option<&KeptFeedback> {
        let mut all = self.feedback.iter();
        all.find(|kept| kept.is_of(participant, target))
    }

    /// Returns `true` if the form has an answer whose turn waits, runs or has succeeded. This does not change if the
    /// answer is removed later.
    pub(crate) fn has_answer_to(&self, form_event_id: &str) -> bool {
        let mut answers = self.events.iter().filter_map(|kept| kept.answers.as_ref());
        answers.any(|form| form == form_event_id)
    }

    /// Returns `true` if the thread contains the target.
    pub(super) fn has(&self, target: &CancelTarget) -> bool {
        match target {
            CancelTarget::Run(id) => self.run(id).is_some(),
            CancelTarget::Event(id) => self.event(id).is_some(),
        }
    }

    /// Advances the clock of the list to the times of this thread.
    #[cfg(feature = "postgres")]
    pub(crate) fn note_times(&self) {
        let runs = self.runs.iter().map(|kept| kept.run.started_at);
        for at in runs.chain([self.row.record.thread.last_event_at]) {
            self.clock.note(at.timestamp_micros());
        }
    }

    /// Extends the leases of the turns that the process `node` runs, and returns these turns.
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
                questions: turn.questions.clone(),
            })
        };
        self.turns.iter_mut().filter_map(renew).collect()
    }
}
