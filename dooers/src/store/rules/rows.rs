//! The rows on which the rules work.

use crate::protocol::{AnalyticsEvent, FeedbackTarget, Run, Thread, ThreadEvent, User};
use crate::store::analytics::AnalyticsFilter;
use crate::store::claim::{end_of_lease, is_due};
use crate::store::feedback::KeptFeedback;
use crate::store::list_clock::ListClock;
use crate::store::usage::{Spent, UsageOwner, UsageRow};
use crate::store::{
    CancelTarget, ClaimOptions, Feedback, NewMessage, Participant, Question, Scope, SealedAnswer,
    StoreError, ThreadRecord,
};
use chrono::{DateTime, Utc};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// The rows of all threads.
pub(crate) trait Rows {
    /// The error if a row cannot be read or written. A refusal by a rule becomes such an error as well.
    type Error: From<StoreError>;

    /// The rows of one thread.
    type Thread<'a>: ThreadRows<Error = Self::Error>
    where
        Self: 'a;

    /// Returns `true` if a thread with this id exists in any scope.
    fn has_thread(&self, thread_id: &str) -> Result<bool, Self::Error>;

    /// Returns `true` if an event with this id exists in any thread.
    fn has_event(&self, event_id: &str) -> Result<bool, Self::Error>;

    /// Returns `true` if a run with this id exists in any thread.
    fn has_run(&self, run_id: &str) -> Result<bool, Self::Error>;

    /// Returns the thread with this id, if it is visible in this scope. Nothing of another thread is read or locked, so
    /// that it costs as much as one that does not exist.
    fn thread(
        &mut self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<Option<Self::Thread<'_>>, Self::Error>;

    /// Stores a new thread with the row [`ThreadRow::new`] and without participants.
    fn insert_thread(
        &mut self,
        scope: &Scope,
        thread: Thread,
    ) -> Result<Self::Thread<'_>, Self::Error>;

    /// Deletes a thread with its events, runs, turns and feedback. Its usage stays, and so do the keys of its messages
    /// until [`Store::forget_sent`](crate::store::Store::forget_sent) removes them.
    fn delete_thread(&mut self, scope: &Scope, thread_id: &str) -> Result<(), Self::Error>;

    /// Returns the event that was stored for a message.
    fn sent(&self, key: &SentKey) -> Result<Option<SentEvent>, Self::Error>;

    /// Returns `true` if the event of a message is still in its thread.
    fn is_stored(&self, sent: &SentEvent) -> Result<bool, Self::Error>;

    /// Stores the key of a message with its event.
    fn insert_sent(&mut self, key: SentKey, sent: SentEvent) -> Result<(), Self::Error>;

    /// Adds rows to the ledger of usage, and to its totals.
    fn insert_usage(&mut self, rows: Vec<UsageRow>) -> Result<(), Self::Error>;

    /// Returns the usage of an owner in a range of days since 1970.
    fn spent(&self, owner: &UsageOwner, days: &RangeInclusive<i64>) -> Result<Spent, Self::Error>;

    /// Returns the threads that contain the target and are visible in this scope, with their scopes. Without a scope,
    /// all threads are visible.
    fn threads_of(
        &self,
        scope: Option<&Scope>,
        target: &CancelTarget,
    ) -> Result<Vec<(Scope, String)>, Self::Error>;

    /// Returns the threads that have turns, or only those that have a [lost](TurnRow::is_lost) turn, with their scopes.
    fn threads_with_turns(
        &self,
        lost_by: Option<DateTime<Utc>>,
    ) -> Result<Vec<(Scope, String)>, Self::Error>;
}

/// The rows of one thread, while an operation changes it.
pub(crate) trait ThreadRows {
    /// The error if a row cannot be read or written. A refusal by a rule becomes such an error as well.
    type Error: From<StoreError>;

    /// Returns the thread's own row.
    fn row(&self) -> &ThreadRow;

    /// Returns the thread's own row, to change its numbers and its `last_event_at`.
    fn row_mut(&mut self) -> &mut ThreadRow;

    /// Returns the thread, to change its title, metadata and `updated_at`.
    fn description_mut(&mut self) -> &mut Thread;

    /// Returns the users of the thread, to change them.
    fn users_mut(&mut self) -> &mut Vec<User>;

    /// Writes the thread's own row. Each operation ends with this call.
    fn save(&mut self) -> Result<(), Self::Error>;

    /// Returns the analytics events that are stored for the webhook. `None` if none are.
    fn outbox(&self) -> Option<Arc<AnalyticsFilter>>;

    /// Stores analytics events for the webhook.
    fn insert_outbox(&mut self, events: &[AnalyticsEvent]) -> Result<(), Self::Error>;

    /// Returns the clock of the lists that contain the thread and its runs.
    fn clock(&self) -> Result<ListClock, Self::Error>;

    /// Adds a participant after the others.
    fn insert_participant(&mut self, participant: &Participant) -> Result<(), Self::Error>;

    /// Returns the event with this id.
    fn event(&self, event_id: &str) -> Result<Option<ThreadEvent>, Self::Error>;

    /// Returns the `rev` of the change that created the event.
    fn first_rev(&self, event_id: &str) -> Result<Option<u64>, Self::Error>;

    /// Returns `true` if an event is stored as the accepted answer to this form.
    fn has_answer_to(&self, form_event_id: &str) -> Result<bool, Self::Error>;

    /// Stores that this event is no longer the accepted answer to a form.
    fn reopen_form(&mut self, event_id: &str) -> Result<(), Self::Error>;

    /// Returns the events that are streaming in the turn of this message, ordered by `seq`.
    fn open_events(&self, turn: &str) -> Result<Vec<ThreadEvent>, Self::Error>;

    /// Stores a new event.
    fn insert_event(&mut self, event: NewEvent<'_>) -> Result<(), Self::Error>;

    /// Stores the new kind, content, data and deletion mark of an event.
    fn replace_event(&mut self, event: &ThreadEvent, rev: u64) -> Result<(), Self::Error>;

    /// Stores the current text of an event that is open in the turn of this message. Other events stay unchanged.
    fn write_text(
        &mut self,
        turn: &str,
        event_id: &str,
        text: &str,
        delta_seq: u64,
    ) -> Result<(), Self::Error>;

    /// Finalizes an event that is open in the turn of this message.
    fn finalize_event(
        &mut self,
        turn: &str,
        event: &ThreadEvent,
        rev: u64,
    ) -> Result<(), Self::Error>;

    /// Returns the run with this id.
    fn run(&self, run_id: &str) -> Result<Option<Run>, Self::Error>;

    /// Returns the runs that answer this message and have not ended, ordered by their start.
    fn open_runs(&self, event_id: &str) -> Result<Vec<Run>, Self::Error>;

    /// Stores a new run.
    fn insert_run(&mut self, run: &Run, rev: u64) -> Result<(), Self::Error>;

    /// Stores the new state of a run, except its start and its message.
    fn update_run(&mut self, run: &Run, rev: u64) -> Result<(), Self::Error>;

    /// Deletes a run.
    fn delete_run(&mut self, run_id: &str) -> Result<(), Self::Error>;

    /// Returns the turn of this message.
    fn turn_of(&self, event_id: &str) -> Result<Option<TurnRow>, Self::Error>;

    /// Returns the message of a turn.
    fn message_of(&self, turn: &TurnRow) -> Result<ThreadEvent, Self::Error>;

    /// Returns the turn of the oldest message.
    fn oldest_turn(&self) -> Result<Option<TurnRow>, Self::Error>;

    /// Returns the waiting turns, in the order of their messages.
    fn waiting_turns(&self) -> Result<Vec<TurnRow>, Self::Error>;

    /// Returns the number of waiting turns.
    fn count_waiting(&self) -> Result<usize, Self::Error>;

    /// Returns the running turns, in the order of their messages.
    fn running_turns(&self) -> Result<Vec<TurnRow>, Self::Error>;

    /// Stores a new turn.
    fn insert_turn(&mut self, turn: TurnRow) -> Result<(), Self::Error>;

    /// Stores the new state of a turn.
    fn update_turn(&mut self, turn: &TurnRow) -> Result<(), Self::Error>;

    /// Deletes a turn.
    fn delete_turn(&mut self, turn: &TurnRow) -> Result<(), Self::Error>;

    /// Returns the feedback of a participant on a target in this thread.
    fn feedback(
        &self,
        participant: &Participant,
        target: &FeedbackTarget,
    ) -> Result<Option<Feedback>, Self::Error>;

    /// Stores a feedback, in place of an earlier one of the same participant on the same target.
    fn put_feedback(&mut self, kept: &KeptFeedback) -> Result<(), Self::Error>;

    /// Deletes the feedback of all participants on a target that is removed by the same operation.
    fn delete_feedback(&mut self, target: &FeedbackTarget) -> Result<(), Self::Error>;
}

/// A thread's own row, with its participants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ThreadRow {
    /// The thread, its agent and participants, and the `rev` of its last change.
    pub(crate) record: ThreadRecord,
    /// The `rev` of the last change of this row.
    pub(crate) row_rev: u64,
    /// The `seq` of the last event. The first event has `seq` 1.
    pub(crate) last_seq: u64,
}

impl ThreadRow {
    /// Creates the row of a new thread, at the front of the list with this clock.
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
    /// The `rev` of the change that creates the event.
    pub(crate) rev: u64,
    /// The form to which the event is the accepted answer.
    pub(crate) answers: Option<&'a str>,
    /// The message whose turn streams the event, if the event is streaming.
    pub(crate) open_in: Option<&'a str>,
}

/// A turn: a message that waits for an answer or is being answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TurnRow {
    /// The `seq` of the message.
    pub(crate) seq: u64,
    pub(crate) event_id: String,
    pub(crate) is_running: bool,
    pub(crate) is_cancelled: bool,
    /// The number of the last claim. Each claim raises it.
    pub(crate) fence: u64,
    pub(crate) attempt: u64,
    pub(crate) retries: u64,
    /// The time before which the turn is not claimed again.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// `true` if the turn runs concurrently with other turns of its thread.
    pub(crate) is_beside: bool,
    /// The values of the password fields, if the message answers a form and fills any.
    pub(crate) sealed: Option<SealedAnswer>,
    /// The identity of the sender, as [`NewMessage::identity`](crate::store::NewMessage::identity) has it.
    pub(crate) identity: Option<String>,
    /// The forms whose answers the running attempt waits for.
    pub(crate) questions: Vec<Question>,
    /// The process that runs the turn.
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
    /// Creates a lease that begins now.
    pub(crate) fn new(node: &str, lease: Duration) -> Self {
        Self {
            node: node.to_owned(),
            lease,
            until: end_of_lease(lease),
        }
    }
}

impl TurnRow {
    /// Creates the waiting turn of a new message.
    pub(super) fn new(message: &ThreadEvent, new: &NewMessage) -> Self {
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
            sealed: new.sealed().cloned(),
            identity: new.identity.clone(),
            questions: Vec::new(),
            held: None,
        }
    }

    /// Returns `true` if the turn waits and may be claimed at the time of `start`.
    pub(crate) fn is_due(&self, start: &ClaimOptions) -> bool {
        !self.is_running && is_due(self.not_before, start.at)
    }

    /// Returns `true` if the turn's process is considered dead: its lease ended by this time. Without a time, every
    /// running turn is lost.
    pub(crate) fn is_lost(&self, by: Option<DateTime<Utc>>) -> bool {
        let has_ended = |by| self.held.as_ref().is_some_and(|held| held.until <= by);
        self.is_running && by.is_none_or(has_ended)
    }

    /// Starts the next attempt.
    pub(super) fn begin(&mut self, start: &ClaimOptions) {
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

/// The key that identifies a message when it is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SentKey {
    pub(crate) worker_id: String,
    pub(crate) organization_id: String,
    pub(crate) workspace_id: String,
    /// The owner of the id: see [`Participant::owner_of_ids`].
    pub(crate) participant: Participant,
    pub(crate) client_event_id: String,
}

/// The event that was stored for a message.
#[derive(Debug, Clone)]
pub(crate) struct SentEvent {
    pub(crate) thread_id: String,
    pub(crate) event_id: String,
    /// The time at which the thread was deleted. Databases keep it only in the row.
    pub(crate) deleted_at: Option<DateTime<Utc>>,
}

impl SentKey {
    /// Returns the key of a message, if its sender gave it an id.
    pub(crate) fn of(scope: &Scope, new: &NewMessage) -> Option<Self> {
        Some(Self {
            worker_id: scope.worker_id.clone(),
            organization_id: scope.organization_id.clone(),
            workspace_id: scope.workspace_id.clone(),
            participant: new.participant.owner_of_ids(new.is_of_program),
            client_event_id: new.client_event_id.clone()?,
        })
    }
}
