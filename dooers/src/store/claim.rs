//! Turns and claims: which process answers which message.

use super::{
    Change, Participant, Question, Scope, SealedAnswer, StoreError, ThreadPatch, ThreadRecord,
    TurnUsage, UsageLimit,
};
use crate::protocol::{
    Actor, AnalyticsEvent, ContentPart, EventType, Run, RunStatus, ThreadEvent, User, new_id,
    timestamp, with_error_id,
};
use crate::store::OnBusy;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

/// The parameters with which a turn starts once it is claimed.
#[derive(Debug, Clone)]
pub struct ClaimOptions {
    /// The process that will run the turn.
    pub node: String,
    /// The id of the turn's run. `None` if the handler starts its runs itself.
    pub run_id: Option<String>,
    /// The time of the start.
    pub at: DateTime<Utc>,
    /// The time for which the process holds the turn, unless it [renews](super::Store::renew_leases) the lease.
    pub lease: Duration,
    /// The number of attempts after the first one.
    pub retries: u32,
    /// The policy for a message that arrives while another one is being answered.
    pub on_busy: OnBusy,
    /// The limits of usage. A message that would start a turn over one of them is refused.
    pub limits: Arc<[UsageLimit]>,
}

impl ClaimOptions {
    /// Returns `true` if the turn runs concurrently with other turns of its thread.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.on_busy == OnBusy::Concurrent
    }

    /// Refuses a message to a thread that already has turns, if the policy says so. `waiting` counts those that wait.
    pub(crate) fn check_busy<E: From<StoreError>>(
        &self,
        waiting: impl FnOnce() -> Result<usize, E>,
    ) -> Result<(), E> {
        match self.on_busy {
            OnBusy::Queue { limit } if waiting()? >= limit as usize => {
                Err(StoreError::Overloaded(format!(
                    "{limit} messages of this thread wait for their answers; send this one again after the next answer"
                ))
                .into())
            }
            OnBusy::Reject => Err(StoreError::Busy(
                "this agent accepts the next message after it has answered the current one; send this one again then"
                    .to_owned(),
            )
            .into()),
            OnBusy::Queue { .. } | OnBusy::Interrupt | OnBusy::Concurrent => Ok(()),
        }
    }

    /// Creates the run that starts with the turn.
    pub(crate) fn run(&self, agent: &str, thread_id: &str, event_id: &str) -> Option<Run> {
        Some(Run {
            id: self.run_id.clone()?,
            thread_id: thread_id.to_owned(),
            event_id: Some(event_id.to_owned()),
            agent_id: Some(agent.to_owned()),
            status: RunStatus::Running,
            started_at: self.at,
            ended_at: None,
            error: None,
            usage: Vec::new(),
        })
    }
}

/// The longest wait before another attempt of a turn.
///
/// A stored time that is further ahead comes from a clock that has since been set back. The turn is then due at once.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// Returns the time from `now` until a turn with this `not_before` is due.
pub(crate) fn time_until_due(not_before: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    let ahead = (not_before - now).to_std().unwrap_or_default();
    if ahead > LONGEST_BACK_OFF {
        Duration::ZERO
    } else {
        ahead
    }
}

/// Returns `true` if a turn with this `not_before` may be claimed at a time.
pub(crate) fn is_due(not_before: Option<DateTime<Utc>>, at: DateTime<Utc>) -> bool {
    not_before.is_none_or(|not_before| time_until_due(not_before, at).is_zero())
}

/// Returns the end of a lease that begins now, by this process's clock.
pub(crate) fn end_of_lease(lease: Duration) -> DateTime<Utc> {
    let lease = TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
    let end = timestamp::now().checked_add_signed(lease);
    end.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The right to write in a turn, until another process takes over the turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnKey {
    /// The thread.
    pub thread_id: String,
    /// The message that is answered.
    pub event_id: String,
    /// The number of the claim. Each claim of the turn raises it, so that a late writer has an old number.
    pub fence: u64,
}

/// The state of the turn that answers a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TurnState {
    /// The turn waits, for its first attempt or for another one.
    Queued,
    /// A process runs the turn.
    Running,
    /// The turn has ended, or the event never had one.
    Ended,
}

/// A turn that this process runs.
#[derive(Debug)]
pub struct Claim {
    /// The right to write in the turn.
    pub key: TurnKey,
    /// The turn's thread.
    pub thread: ThreadRecord,
    /// The message that is answered.
    pub event: ThreadEvent,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The turn's run, if the server starts it. The run of an earlier attempt continues.
    pub run: Option<Run>,
    /// The values of the password fields, if the message answers a form and fills any.
    pub sealed: Option<SealedAnswer>,
    /// The identity of the sender, if the message had one.
    pub identity: Option<String>,
    /// The changes that the claim made to the run. Empty in [`BeginOutcome`](super::BeginOutcome), whose own changes include them.
    pub changes: Vec<Change>,
}

impl Claim {
    /// Returns the participant who sent the message.
    pub(crate) fn sender(&self) -> Participant {
        let anonymous = User::new("");
        let user = self.event.user.as_ref().unwrap_or(&anonymous);
        Participant::sender(user, &self.thread.participants)
    }
}

/// One change that a turn makes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TurnChange {
    /// A new event. The store assigns its `seq`. An event that is `streaming` stays open until it is finalized, at the
    /// latest at the end of the turn. A form that is [`asked`](ThreadEvent::asked) becomes a question of the turn.
    Event(Box<ThreadEvent>),
    /// More of the text of an open event, stored in case the process dies. It is not published.
    Text {
        /// The event.
        event_id: String,
        /// Its text so far.
        text: String,
        /// The number of the next piece.
        delta_seq: u64,
    },
    /// The whole text of an open event, which is finalized by this change.
    Finalize {
        /// The event. Nothing happens if the event is not open.
        event_id: String,
        /// The whole text.
        text: String,
    },
    /// A new title or new metadata of the thread.
    Patch {
        /// The new values.
        patch: ThreadPatch,
        /// The time of the change.
        at: DateTime<Utc>,
    },
    /// The thread's new `last_event_at`, published once per turn.
    Touch(DateTime<Utc>),
    /// An analytics event of the handler, for the outbox. It must only be part of the change that ends the attempt.
    Track(Box<AnalyticsEvent>),
    /// A run that is new or has ended. The `started_at` of a known run does not change. Its `usage` is added to that of
    /// the run.
    Run(Run),
    /// The usage of a model call. It is added to the ledger, and to the sums of its run.
    Usage(Box<TurnUsage>),
    /// Permits another answer to the form that the turn's message answers, if it answers one, because the turn does not
    /// succeed.
    ReopenForm,
    /// Closes the form of a question of the turn, if the question is open.
    EndQuestion {
        /// The event of the form.
        form_event_id: String,
        /// `true` if the handler no longer needs the answer. A question that was answered is then removed, too.
        is_over: bool,
    },
    /// Closes the forms of all open questions of the turn, because the attempt ends.
    EndQuestions,
}

/// The result of finishing a turn.
#[derive(Debug)]
pub struct FinishOutcome {
    /// The changes that were made.
    pub changes: Vec<Change>,
    /// The claim of the thread's next turn.
    pub next: Option<Claim>,
}

/// The result of requeuing a turn.
#[derive(Debug)]
pub struct Retried {
    /// The changes that were made.
    pub changes: Vec<Change>,
    /// `true` if the turn has ended instead, because it was cancelled.
    pub is_cancelled: bool,
}

/// A request to cancel a turn.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// The turn to cancel.
    pub target: CancelTarget,
    /// The id for the cancelled run, if the turn has no run yet.
    pub run_id: String,
    /// The time of the request.
    pub at: DateTime<Utc>,
}

/// Identifies the turn to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelTarget {
    /// One of the turn's runs. If runs of several threads have this id, the one that has not ended is meant.
    Run(String),
    /// The message that the turn answers.
    Event(String),
}

/// The result of a request to cancel a turn.
#[derive(Debug)]
pub enum Cancelled {
    /// The turn was waiting and is now deleted.
    Withdrawn {
        /// The scope of the thread.
        scope: Box<Scope>,
        /// The changes that were made: the turn's run is canceled.
        changes: Vec<Change>,
        /// The thread, if other turns of it wait and none runs. They may be claimed.
        waiting: Option<PendingThread>,
    },
    /// The turn is running. The process that runs it must stop it and end its run.
    Running {
        /// The thread.
        thread_id: String,
        /// The message that is answered.
        event_id: String,
    },
    /// The turn has ended, or never existed.
    Ended,
}

impl Cancelled {
    /// Returns the changes that were made.
    pub(crate) fn changes(&self) -> &[Change] {
        match self {
            Self::Withdrawn { changes, .. } => changes,
            Self::Running { .. } | Self::Ended => &[],
        }
    }
}

impl CancelTarget {
    pub(crate) fn not_found(&self) -> StoreError {
        StoreError::NotFound(match self {
            Self::Run(_) => "run",
            Self::Event(_) => "event",
        })
    }
}

/// Creates the run of a turn that never started.
pub(crate) fn withdrawn_run(
    id: String,
    agent: &str,
    (thread_id, event_id): (&str, &str),
    at: DateTime<Utc>,
) -> Run {
    Run {
        id,
        thread_id: thread_id.to_owned(),
        event_id: Some(event_id.to_owned()),
        agent_id: Some(agent.to_owned()),
        status: RunStatus::Canceled,
        started_at: at,
        ended_at: Some(at),
        error: None,
        usage: Vec::new(),
    }
}

/// The result of a recovery from dead processes.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The number of turns that were ended as interrupted.
    pub interrupted: usize,
    /// The ids of the messages whose turns were ended as interrupted, for the log.
    pub interrupted_messages: Vec<String>,
    /// The number of turns that now wait for another attempt.
    pub retried: usize,
    /// The changes that were made, one item for each thread.
    pub changes: Vec<ThreadChanges>,
    /// The threads that have waiting turns.
    pub waiting: Vec<PendingThread>,
}

/// Changes of one thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadChanges {
    /// The scope of the thread.
    pub scope: Scope,
    /// The changes, in the order of their `rev`.
    pub changes: Vec<Change>,
}

/// A thread that has waiting turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingThread {
    /// The scope of the thread.
    pub scope: Scope,
    /// The id of the thread.
    pub thread_id: String,
    /// The time from which the first of the turns may be claimed. `None` if it may be claimed now. A time that is
    /// further ahead than [`LONGEST_BACK_OFF`] counts as past.
    pub not_before: Option<DateTime<Utc>>,
    /// The time from which all of the turns may be claimed. `None` if they may be claimed now. It matters if turns run
    /// concurrently, because they do not wait for the first one.
    pub all_from: Option<DateTime<Utc>>,
}

/// A turn that a process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTurn {
    /// The claim of the turn.
    pub key: TurnKey,
    /// The scope of its thread.
    pub scope: Scope,
    /// `true` if the turn was cancelled, perhaps through another process.
    pub is_cancelled: bool,
    /// The questions of the turn. Another process may have stored their answers.
    pub questions: Vec<Question>,
}

/// The fate of a turn whose process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterLoss {
    /// The turn was cancelled and ends as cancelled.
    Cancel,
    /// The turn is attempted again.
    Retry,
    /// The turn ends as interrupted.
    Fail,
}

impl AfterLoss {
    /// Decides from the current attempt, counted from 1, and the number of attempts after the first.
    pub(crate) fn of(is_cancelled: bool, attempt: u64, retries: u64) -> Self {
        if is_cancelled {
            Self::Cancel
        } else if attempt <= retries {
            Self::Retry
        } else {
            Self::Fail
        }
    }
}

/// The `error` of a run whose process died.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// The message to users if the process of their turn stopped or died.
const INTERRUPTED_TEXT: &str =
    "The answer was interrupted because the server stopped. Please send the message again.";

/// The `error` of a run that exceeded the time limit of its agent.
pub(crate) const TIMED_OUT: &str = "timed out";

/// Creates an event of the server itself. The store assigns its `seq`.
pub(crate) fn system_event(
    thread_id: &str,
    run_id: Option<String>,
    text: &str,
    at: DateTime<Utc>,
) -> ThreadEvent {
    ThreadEvent {
        id: new_id(),
        thread_id: thread_id.to_owned(),
        run_id,
        kind: EventType::Message,
        actor: Actor::System,
        author: None,
        user: None,
        content: Some(vec![ContentPart::text(text)]),
        data: None,
        created_at: at,
        streaming: None,
        finalized: None,
        delta_seq: None,
        deleted: None,
        client_event_id: None,
        seq: 0,
    }
}

/// Returns the final form of an open event, with this text or with the stored one.
pub(crate) fn finalized(mut event: ThreadEvent, text: Option<&str>) -> ThreadEvent {
    if let Some(text) = text {
        event.content = Some(vec![ContentPart::text(text)]);
    }
    event.streaming = None;
    event.finalized = Some(true);
    event.delta_seq = None;
    event
}

/// Returns the final form of a cancelled turn's run.
pub(crate) fn cancelled_run(run: Run, at: DateTime<Utc>) -> Run {
    Run {
        status: RunStatus::Canceled,
        ended_at: Some(at),
        ..run
    }
}

/// Returns the final form of a run whose process died.
pub(crate) fn interrupted_run(run: Run, at: DateTime<Utc>) -> Run {
    Run {
        status: RunStatus::Failed,
        ended_at: Some(at),
        error: Some(INTERRUPTED.to_owned()),
        ..run
    }
}

/// Creates the event that reports in a thread that the turn of the message `event_id` failed. The text for users ends
/// with the id of the message, under which the log has the reason.
pub(crate) fn failure_event(
    thread_id: &str,
    run_id: Option<String>,
    text: &str,
    event_id: &str,
    at: DateTime<Utc>,
) -> ThreadEvent {
    system_event(thread_id, run_id, &with_error_id(text, event_id), at)
}

/// Creates the event that reports in a thread that the turn of the message `event_id` was interrupted.
pub(crate) fn interrupted_event(
    thread_id: &str,
    run_id: Option<String>,
    event_id: &str,
    at: DateTime<Utc>,
) -> ThreadEvent {
    failure_event(thread_id, run_id, INTERRUPTED_TEXT, event_id, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_turn_waits_longer_than_the_longest_back_off() {
        let now = timestamp::from_micros(1_700_000_000_000_000);
        let longest = TimeDelta::from_std(LONGEST_BACK_OFF).unwrap();
        let second = TimeDelta::seconds(1);
        let cases = [
            (TimeDelta::zero(), 0),
            (-second, 0),
            (TimeDelta::days(-365), 0),
            (second, 1),
            (longest, 60),
            (longest + TimeDelta::microseconds(1), 0),
            (TimeDelta::hours(1), 0),
        ];
        for (ahead, seconds) in cases {
            let wait = time_until_due(now + ahead, now);
            assert_eq!(wait, Duration::from_secs(seconds), "{ahead}");
            assert_eq!(is_due(Some(now + ahead), now), seconds == 0, "{ahead}");
        }
        assert!(is_due(None, now));
        let last = DateTime::<Utc>::MAX_UTC;
        assert!(is_due(Some(last), DateTime::<Utc>::MIN_UTC));
        assert!(is_due(Some(DateTime::<Utc>::MIN_UTC), last));
    }
}
