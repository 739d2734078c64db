//! The rows on which the rules work.

use crate::protocol::{Run, Thread, ThreadEvent, User};
use crate::store::claim::{end_of_lease, is_due};
use crate::store::list_clock::ListClock;
use crate::store::{
    CancelTarget, NewMessage, Participant, Scope, SealedAnswer, Start, StoreError, ThreadRecord,
};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// The rows of all threads.
pub(crate) trait Rows {
    /// The reason why a row could not be read or written. A refusal by a rule becomes such an error as well.
    type Error: From<StoreError>;

    /// The rows of one thread.
    type Thread<'a>: ThreadRows<Error = Self::Error>
    where
        Self: 'a;

    /// Whether there is a thread of this id, in any scope.
    fn has_thread(&self, thread_id: &str) -> Result<bool, Self::Error>;

    /// Whether there is an event of this id, in any thread.
    fn has_event(&self, event_id: &str) -> Result<bool, Self::Error>;

    /// Whether there is a run of this id, in any thread.
    fn has_run(&self, run_id: &str) -> Result<bool, Self::Error>;

    /// The thread of this id, if it lies in this scope. The scope's viewer does not matter.
    fn thread(
        &mut self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<Option<Self::Thread<'_>>, Self::Error>;

    /// Stores a thread that has the row [`ThreadRow::new`] and no participants yet.
    fn insert_thread(
        &mut self,
        scope: &Scope,
        thread: Thread,
    ) -> Result<Self::Thread<'_>, Self::Error>;

    /// Deletes a thread with its events, runs and turns. Its messages are known until they are forgotten.
    fn delete_thread(&mut self, scope: &Scope, thread_id: &str) -> Result<(), Self::Error>;

    /// The event that was stored for a message.
    fn sent(&self, key: &SentKey) -> Result<Option<SentEvent>, Self::Error>;

    /// Whether the event of a message is still in its thread.
    fn is_stored(&self, sent: &SentEvent) -> Result<bool, Self::Error>;

    /// Remembers the event that was stored for a message.
    fn insert_sent(&mut self, key: SentKey, sent: SentEvent) -> Result<(), Self::Error>;

    /// The threads that have a run or an event, with their scopes.
    fn threads_of(&self, target: &CancelTarget) -> Result<Vec<(Scope, String)>, Self::Error>;

    /// The threads that have turns, or only those that have a [lost](TurnRow::is_lost) turn, with their scopes.
    fn threads_with_turns(
        &self,
        lost_by: Option<DateTime<Utc>>,
    ) -> Result<Vec<(Scope, String)>, Self::Error>;
}

/// The rows of one thread, while an operation changes it.
pub(crate) trait ThreadRows {
    /// The reason why a row could not be read or written. A refusal by a rule becomes such an error as well.
    type Error: From<StoreError>;

    /// The thread's own row.
    fn row(&self) -> &ThreadRow;

    /// The thread's own row, to change its numbers and its `last_event_at`.
    fn row_mut(&mut self) -> &mut ThreadRow;

    /// The thread, to change its title, metadata and `updated_at`.
    fn description_mut(&mut self) -> &mut Thread;

    /// The users of the thread, to change them.
    fn users_mut(&mut self) -> &mut Vec<User>;

    /// Writes the thread's own row. Each operation ends with this.
    fn save(&mut self) -> Result<(), Self::Error>;

    /// The clock of the lists in which the thread and its runs are.
    fn clock(&self) -> Result<ListClock, Self::Error>;

    /// Adds a participant behind the others.
    fn insert_participant(&mut self, participant: &Participant) -> Result<(), Self::Error>;

    /// The event of this id.
    fn event(&self, event_id: &str) -> Result<Option<ThreadEvent>, Self::Error>;

    /// The number of the change that made the event of this id.
    fn first_rev(&self, event_id: &str) -> Result<Option<u64>, Self::Error>;

    /// Whether an event is stored as the answer to this form.
    fn has_answer_to(&self, form_event_id: &str) -> Result<bool, Self::Error>;

    /// Stores that an event is not the answer to a form any more.
    fn reopen_form(&mut self, event_id: &str) -> Result<(), Self::Error>;

    /// The events whose text grows in the turn of this message, in the order of their `seq`.
    fn open_events(&self, turn: &str) -> Result<Vec<ThreadEvent>, Self::Error>;

    /// Stores a new event.
    fn insert_event(&mut self, event: NewEvent<'_>) -> Result<(), Self::Error>;

    /// Stores the new kind, content and data of an event, and whether it is deleted.
    fn replace_event(&mut self, event: &ThreadEvent, rev: u64) -> Result<(), Self::Error>;

    /// Stores the text so far of an event that is open in the turn of this message. Other events are left as they are.
    fn write_text(
        &mut self,
        turn: &str,
        event_id: &str,
        text: &str,
        delta_seq: u64,
    ) -> Result<(), Self::Error>;

    /// Stores the end of an event that is open in the turn of this message.
    fn finalize_event(
        &mut self,
        turn: &str,
        event: &ThreadEvent,
        rev: u64,
    ) -> Result<(), Self::Error>;

    /// The run of this id.
    fn run(&self, run_id: &str) -> Result<Option<Run>, Self::Error>;

    /// The runs that answer this message and have not ended, in the order in which they began.
    fn open_runs(&self, event_id: &str) -> Result<Vec<Run>, Self::Error>;

    /// Stores a new run.
    fn insert_run(&mut self, run: &Run, rev: u64) -> Result<(), Self::Error>;

    /// Stores the new state of a run: everything but its start and its message.
    fn update_run(&mut self, run: &Run, rev: u64) -> Result<(), Self::Error>;

    /// Deletes a run.
    fn delete_run(&mut self, run_id: &str) -> Result<(), Self::Error>;

    /// The turn of this message.
    fn turn_of(&self, event_id: &str) -> Result<Option<TurnRow>, Self::Error>;

    /// The message of a turn.
    fn message_of(&self, turn: &TurnRow) -> Result<ThreadEvent, Self::Error>;

    /// The turn of the oldest message.
    fn oldest_turn(&self) -> Result<Option<TurnRow>, Self::Error>;

    /// The turns that wait, in the order of their messages.
    fn waiting_turns(&self) -> Result<Vec<TurnRow>, Self::Error>;

    /// The number of turns that wait.
    fn count_waiting(&self) -> Result<usize, Self::Error>;

    /// The turns that run, in the order of their messages.
    fn running_turns(&self) -> Result<Vec<TurnRow>, Self::Error>;

    /// Stores a new turn.
    fn insert_turn(&mut self, turn: TurnRow) -> Result<(), Self::Error>;

    /// Stores the new state of a turn.
    fn update_turn(&mut self, turn: &TurnRow) -> Result<(), Self::Error>;

    /// Deletes a turn.
    fn delete_turn(&mut self, turn: &TurnRow) -> Result<(), Self::Error>;
}

/// A thread's own row, with its participants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ThreadRow {
    /// The thread, its agent and participants, and the number of its last change.
    pub(crate) record: ThreadRecord,
    /// The number of the last change of this row.
    pub(crate) row_rev: u64,
    /// The `seq` of the last event. The first event has 1.
    pub(crate) last_seq: u64,
}

impl ThreadRow {
    /// The row of a new thread, at the front of the list that has this clock.
    pub(crate) fn new(scope: &Scope, mut thread: Thread, clock: &ListClock) -> Self {
        thread.last_event_at = clock.front(thread.last_event_at);
        Self {
            record: ThreadRecord {
                thread,
                agent: scope.agent.clone(),
                participants: Vec::new(),
                rev: 1,
            },
            row_rev: 1,
            last_seq: 0,
        }
    }
}

/// A new event, with the columns that clients do not see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewEvent<'a> {
    pub(crate) event: &'a ThreadEvent,
    /// The number of the change that makes it.
    pub(crate) rev: u64,
    /// The form of which it is the answer.
    pub(crate) answers: Option<&'a str>,
    /// The message whose turn writes its text, if the text grows.
    pub(crate) open_in: Option<&'a str>,
}

/// A message that waits for an answer or is being answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TurnRow {
    /// The `seq` of its message.
    pub(crate) seq: u64,
    pub(crate) event_id: String,
    pub(crate) is_running: bool,
    pub(crate) is_cancelled: bool,
    /// Raised by each claim.
    pub(crate) fence: u64,
    pub(crate) attempt: u64,
    pub(crate) retries: u64,
    /// The time before which it is not claimed again.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// Whether it runs beside others of its thread.
    pub(crate) is_beside: bool,
    /// The values of the password fields, if the message is the answer to a form and filled any.
    pub(crate) sealed: Option<SealedAnswer>,
    /// The process that runs it.
    pub(crate) held: Option<Held>,
}

/// The process that runs a turn, and its lease.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) node: String,
    pub(crate) lease: Duration,
    /// The end of the lease, by the clock of the store.
    pub(crate) until: DateTime<Utc>,
}

impl Held {
    /// A lease that begins now.
    pub(crate) fn new(node: &str, lease: Duration) -> Self {
        Self {
            node: node.to_owned(),
            lease,
            until: end_of_lease(lease),
        }
    }
}

impl TurnRow {
    /// The turn of a new message, which waits.
    pub(super) fn new(message: &ThreadEvent, sealed: Option<&SealedAnswer>) -> Self {
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

    /// Whether it waits, and may be claimed now.
    pub(crate) fn is_due(&self, start: &Start) -> bool {
        !self.is_running && is_due(self.not_before, start.at)
    }

    /// Whether its process is dead: its lease ended by this time. Without a time, every turn that runs is lost.
    pub(crate) fn is_lost(&self, by: Option<DateTime<Utc>>) -> bool {
        let has_ended = |by| self.held.as_ref().is_some_and(|held| held.until <= by);
        self.is_running && by.is_none_or(has_ended)
    }

    /// Begins the next attempt.
    pub(super) fn begin(&mut self, start: &Start) {
        self.is_running = true;
        self.is_beside = start.is_concurrent();
        self.fence += 1;
        self.attempt += 1;
        self.retries = start.retries.into();
        self.held = Some(Held::new(&start.node, start.lease));
    }

    /// Ends the attempt. The turn waits for the next one.
    pub(super) fn wait(&mut self, not_before: Option<DateTime<Utc>>) {
        self.is_running = false;
        self.is_beside = false;
        self.held = None;
        self.not_before = not_before;
    }
}

/// The key under which a repeated message is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SentKey {
    pub(crate) worker_id: String,
    pub(crate) organization_id: String,
    pub(crate) workspace_id: String,
    pub(crate) participant: Participant,
    pub(crate) client_event_id: String,
}

/// The event that was stored for a message.
#[derive(Debug, Clone)]
pub(crate) struct SentEvent {
    pub(crate) thread_id: String,
    pub(crate) event_id: String,
    /// The time at which the thread was deleted. Databases keep it in the row only.
    pub(crate) deleted_at: Option<DateTime<Utc>>,
}

impl SentKey {
    /// The key of a message, if its client gave it an id.
    pub(crate) fn of(scope: &Scope, new: &NewMessage) -> Option<Self> {
        Some(Self {
            worker_id: scope.worker_id.clone(),
            organization_id: scope.organization_id.clone(),
            workspace_id: scope.workspace_id.clone(),
            participant: new.participant.clone(),
            client_event_id: new.client_event_id.clone()?,
        })
    }
}
