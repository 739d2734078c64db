//! One thread, and what writing does to it.

use crate::protocol::{ContentPart, Run, Thread, ThreadEvent, User};
use crate::store::claim::finalized;
use crate::store::list_clock::ListClock;
use crate::store::message::shown;
use crate::store::page::Known;
use crate::store::rules::TurnRow;
use crate::store::{
    CancelTarget, Change, NewMessage, Participant, Scope, ThreadRecord, TurnChange, TurnKey,
};
use chrono::{DateTime, Utc};

/// One thread with what is in it, or with as much of it as an operation needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ThreadState {
    pub(crate) thread: Thread,
    pub(crate) agent: String,
    pub(crate) participants: Vec<Participant>,
    /// The number of the last change.
    pub(crate) rev: u64,
    /// The number of the last change of the thread's own row.
    pub(crate) row_rev: u64,
    /// The place of the last event: they are counted from 1.
    pub(crate) last_seq: u64,
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
    /// The event of the form that it answers, if it is the first answer.
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
}

impl ThreadState {
    /// A new thread, at the front of the list that has this clock.
    pub(crate) fn new(
        mut thread: Thread,
        agent: String,
        owner: Option<Participant>,
        clock: ListClock,
    ) -> (Self, Change) {
        thread.last_event_at = clock.front(thread.last_event_at);
        let state = Self {
            thread,
            agent,
            participants: owner.into_iter().collect(),
            rev: 1,
            row_rev: 1,
            last_seq: 0,
            events: Vec::new(),
            runs: Vec::new(),
            turns: Vec::new(),
            clock,
        };
        let created = Change::of_thread(state.record(), 1);
        (state, created)
    }

    pub(crate) fn record(&self) -> ThreadRecord {
        ThreadRecord {
            thread: self.thread.clone(),
            agent: self.agent.clone(),
            participants: self.participants.clone(),
            rev: self.rev,
        }
    }

    pub(crate) fn is_visible_in(&self, scope: &Scope) -> bool {
        self.agent == scope.agent
            && self.thread.worker_id == scope.worker_id
            && self.thread.organization_id == scope.organization_id
            && self.thread.workspace_id == scope.workspace_id
            && scope.admits(&self.participants)
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

    /// Whether the form was answered. It stays so if the answer is removed: a turn has begun by it.
    pub(crate) fn has_answer_to(&self, form_event_id: &str) -> bool {
        let mut answers = self.events.iter().filter_map(|kept| kept.answers.as_ref());
        answers.any(|form| form == form_event_id)
    }

    /// Adds who writes to those who take part. The result is whether clients are to be shown that.
    pub(crate) fn meet(
        &mut self,
        participant: &Participant,
        user: &User,
        at: DateTime<Utc>,
    ) -> bool {
        if !self.participants.contains(participant) {
            self.participants.push(participant.clone());
        }
        let Some(user) = shown(user) else {
            return false;
        };
        let users = &mut self.thread.users;
        match users.iter_mut().find(|known| known.user_id == user.user_id) {
            Some(known) if known == user => return false,
            Some(known) => *known = user.clone(),
            None => users.push(user.clone()),
        }
        self.thread.redescribed(at);
        true
    }

    /// Appends a user's message.
    pub(crate) fn append_message(&mut self, new: &NewMessage) -> (ThreadEvent, Change) {
        let change = self.append(new.event(0), None);
        let event = self.events.last().map(|kept| kept.event.clone());
        (event.unwrap_or_else(|| new.event(0)), change)
    }

    pub(crate) fn apply(&mut self, turn: &TurnKey, changes: Vec<TurnChange>) -> Vec<Change> {
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
                    patch.apply(&mut self.thread, at);
                    Some(self.change_row())
                }
                TurnChange::Touch(at) => {
                    self.touch(at);
                    Some(self.change_row())
                }
                TurnChange::Run(mut run) => {
                    run.event_id = Some(turn.event_id.clone());
                    Some(self.upsert_run(run))
                }
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
    pub(crate) fn finalize_all(&mut self, turn: &str) -> Vec<Change> {
        let open = self
            .events
            .iter()
            .filter(|kept| kept.open_in.as_deref() == Some(turn));
        let ids: Vec<_> = open.map(|kept| kept.event.id.clone()).collect();
        ids.iter()
            .filter_map(|id| self.finalize(turn, id, None))
            .collect()
    }

    /// Whether the thread has what is named.
    pub(crate) fn has(&self, target: &CancelTarget) -> bool {
        match target {
            CancelTarget::Run(id) => self.runs.iter().any(|kept| kept.run.id == *id),
            CancelTarget::Event(id) => self.event(id).is_some(),
        }
    }

    fn next_rev(&mut self) -> u64 {
        self.rev += 1;
        self.rev
    }

    /// Moves the thread to the front of its list.
    pub(crate) fn touch(&mut self, at: DateTime<Utc>) {
        self.thread.last_event_at = self.clock.front(at);
    }

    /// Takes the times of the thread into account in the clock of its list.
    #[cfg(feature = "postgres")]
    pub(crate) fn note_times(&self) {
        let runs = self.runs.iter().map(|kept| kept.run.started_at);
        for at in runs.chain([self.thread.last_event_at]) {
            self.clock.note(at.timestamp_micros());
        }
    }

    pub(crate) fn change_row(&mut self) -> Change {
        self.row_rev = self.next_rev();
        Change::of_thread(self.record(), self.row_rev)
    }

    pub(crate) fn append(&mut self, mut event: ThreadEvent, open_in: Option<String>) -> Change {
        self.last_seq += 1;
        event.seq = self.last_seq;
        let rev = self.next_rev();
        let form = event.answered_form();
        let answers = form.filter(|form| !self.has_answer_to(form));
        self.events.push(KeptEvent {
            first_rev: rev,
            rev,
            open_in,
            answers: answers.map(str::to_owned),
            event: event.clone(),
        });
        Change::of_event(event, rev)
    }

    /// Puts an event in the place of one that is there.
    pub(crate) fn replace(&mut self, event: ThreadEvent) -> Change {
        let rev = self.next_rev();
        let mut events = self.events.iter_mut();
        if let Some(kept) = events.find(|kept| kept.event.id == event.id) {
            kept.event = event.clone();
            kept.rev = rev;
        }
        Change::of_event(event, rev)
    }

    pub(crate) fn upsert_run(&mut self, mut run: Run) -> Change {
        let rev = self.next_rev();
        match self.runs.iter_mut().find(|kept| kept.run.id == run.id) {
            Some(kept) => {
                run.started_at = kept.run.started_at;
                run.end_after_start();
                run.event_id.clone_from(&kept.run.event_id);
                kept.run = run.clone();
                kept.rev = rev;
            }
            None => {
                run.started_at = self.clock.start(run.started_at);
                run.end_after_start();
                self.clock.note(run.started_at.timestamp_micros());
                self.runs.push(KeptRun {
                    run: run.clone(),
                    first_rev: rev,
                    rev,
                });
            }
        }
        Change::of_run(run, rev)
    }
}
