//! Turns: who answers which message.

use super::{Change, Scope, SealedAnswer, StoreError, ThreadPatch, ThreadRecord};
use crate::policy::OnBusy;
use crate::protocol::{
    Actor, ContentPart, EventType, Run, RunStatus, ThreadEvent, new_id, timestamp,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How a turn is to be started once it is claimed.
#[derive(Debug, Clone)]
pub struct Start {
    /// The process that will run it.
    pub node: String,
    /// The id of its run; none if the handler starts its runs itself.
    pub run_id: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// For how long the turn is this process's, unless it [renews](super::Store::renew_leases) that.
    pub lease: Duration,
    /// How many more attempts the turn has after its first.
    pub retries: u32,
    /// What becomes of a message that comes while another one is being answered.
    pub on_busy: OnBusy,
}

impl Start {
    /// Whether the turn runs side by side with others of its thread.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.on_busy == OnBusy::Concurrent
    }

    /// Refuses a message of a thread that has turns, so many of which wait.
    pub(crate) fn check_busy<E: From<StoreError>>(
        &self,
        waiting: impl FnOnce() -> Result<usize, E>,
    ) -> Result<(), E> {
        match self.on_busy {
            OnBusy::Queue { limit } if waiting()? >= limit as usize => {
                Err(StoreError::Overloaded(format!(
                    "{limit} messages of this thread wait for their answers; send this one again when one is there"
                ))
                .into())
            }
            OnBusy::Reject => Err(StoreError::Busy(
                "this agent takes the next message when it has answered the last one; send this one again then"
                    .to_owned(),
            )
            .into()),
            OnBusy::Queue { .. } | OnBusy::Interrupt | OnBusy::Concurrent => Ok(()),
        }
    }

    /// The run that begins with the turn.
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
        })
    }
}

/// The longest wait before another attempt of a turn.
///
/// A stored time that is further ahead comes from a clock that has been set back since. The turn is due then.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// The time until a turn is due that is not to be claimed before a time, by the clock that shows `now`.
pub(crate) fn time_until_due(not_before: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    let ahead = (not_before - now).to_std().unwrap_or_default();
    if ahead > LONGEST_BACK_OFF {
        Duration::ZERO
    } else {
        ahead
    }
}

/// Whether a turn may be claimed at a time.
pub(crate) fn is_due(not_before: Option<DateTime<Utc>>, at: DateTime<Utc>) -> bool {
    not_before.is_none_or(|not_before| time_until_due(not_before, at).is_zero())
}

/// When a lease ends that begins now, by this process's clock.
pub(crate) fn end_of_lease(lease: Duration) -> DateTime<Utc> {
    let lease = TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
    let end = timestamp::now().checked_add_signed(lease);
    end.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The right to write in a turn, until another process takes it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnKey {
    /// The thread.
    pub thread_id: String,
    /// The message that is answered.
    pub event_id: String,
    /// Raised each time that the turn is claimed: a late writer has an old one.
    pub fence: u64,
}

/// A turn that this process runs.
#[derive(Debug)]
pub struct Claim {
    /// The right to write in it.
    pub key: TurnKey,
    /// Its thread.
    pub thread: ThreadRecord,
    /// The message that is answered.
    pub event: ThreadEvent,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Its run, if the server starts it. That of an earlier attempt goes on.
    pub run: Option<Run>,
    /// The values of the password fields, if the message is the answer to a form and filled any.
    pub sealed: Option<SealedAnswer>,
    /// What changed by claiming: the run. Empty in [`Begun`](super::Begun), which has it among its own.
    pub changes: Vec<Change>,
}

/// One thing that a turn did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TurnChange {
    /// A new event; its `seq` is given by the store. One that is `streaming` is open until it is finalized, at the
    /// latest with the turn.
    Event(Box<ThreadEvent>),
    /// More of the text of an open event, in case that the process dies. It is no change that is told.
    Text {
        /// The event.
        event_id: String,
        /// Its text so far.
        text: String,
        /// The number of the next piece.
        delta_seq: u64,
    },
    /// The whole text of an open event, which is finalized.
    Finalize {
        /// The event. Nothing happens if it is not open.
        event_id: String,
        /// Its text.
        text: String,
    },
    /// The thread's title or metadata.
    Patch {
        /// The new values.
        patch: ThreadPatch,
        /// When.
        at: DateTime<Utc>,
    },
    /// The thread's `last_event_at`, told once a turn.
    Touch(DateTime<Utc>),
    /// A run that is new, or has ended. Its `started_at` stays.
    Run(Run),
    /// Lets the form that the turn's message answers, if it answers one, be answered again: the turn does not succeed.
    ReopenForm,
}

/// A turn that is finished.
#[derive(Debug)]
pub struct Written {
    /// What changed.
    pub changes: Vec<Change>,
    /// The thread's next turn.
    pub next: Option<Claim>,
}

/// A turn that was given back.
#[derive(Debug)]
pub struct Retried {
    /// What changed.
    pub changes: Vec<Change>,
    /// Whether it has ended instead, as somebody had cancelled it.
    pub is_cancelled: bool,
}

/// A wish that a turn ends early.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// Which turn.
    pub target: CancelTarget,
    /// The id of the run that tells of it, if the turn has none yet.
    pub run_id: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// By what a turn is named that is to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelTarget {
    /// One of its runs. If runs of several threads have this id, the one that continues is meant.
    Run(String),
    /// The message that it answers.
    Event(String),
}

/// What became of a wish to cancel.
#[derive(Debug)]
pub enum Cancelled {
    /// The turn waited, and is no more.
    Withdrawn {
        /// What changed: its run, which is canceled.
        changes: Vec<Change>,
        /// The thread, if others of its turns wait and none runs: they may be claimed.
        waiting: Option<Waiting>,
    },
    /// It runs. Whoever runs it must stop it, and end its run.
    Running {
        /// The thread.
        thread_id: String,
        /// The message that is answered.
        event_id: String,
    },
    /// It has ended, or there never was one.
    Ended,
}

impl CancelTarget {
    pub(crate) fn not_found(&self) -> StoreError {
        StoreError::NotFound(match self {
            Self::Run(_) => "run",
            Self::Event(_) => "event",
        })
    }
}

/// The run of a turn that never began.
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
    }
}

/// What a dead process left.
#[derive(Debug, Default)]
pub struct Recovered {
    /// How many turns were ended as interrupted …
    pub interrupted: usize,
    /// … and how many wait for another attempt.
    pub retried: usize,
    /// What changed by that, thread by thread.
    pub changes: Vec<Vec<Change>>,
    /// The threads that have turns that wait.
    pub waiting: Vec<Waiting>,
}

/// A thread that has turns that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Where it lies.
    pub scope: Scope,
    /// Its id.
    pub thread_id: String,
    /// From when on the first of them may be claimed, if not at once. A time that is further ahead than
    /// [`LONGEST_BACK_OFF`] is past.
    pub not_before: Option<DateTime<Utc>>,
    /// From when on each of them may be, if not at once: those that run side by side do not wait for the first.
    pub all_from: Option<DateTime<Utc>>,
}

/// A turn that a process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTurn {
    /// The claim of the turn.
    pub key: TurnKey,
    /// The scope of its thread.
    pub scope: Scope,
    /// Whether somebody has cancelled it, perhaps by way of another process.
    pub is_cancelled: bool,
}

/// What becomes of a turn whose process is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterLoss {
    /// It was cancelled, and ends so.
    Cancel,
    /// It is tried again.
    Retry,
    /// It ends as interrupted.
    Fail,
}

impl AfterLoss {
    /// The end of a turn in this attempt, which has so many more.
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

/// An event of the server itself. Its `seq` is given by the store.
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

/// How an open event ends, with a text or with the one that is stored.
pub(crate) fn finalized(mut event: ThreadEvent, text: Option<&str>) -> ThreadEvent {
    if let Some(text) = text {
        event.content = Some(vec![ContentPart::text(text)]);
    }
    event.streaming = None;
    event.finalized = Some(true);
    event.delta_seq = None;
    event
}

/// How the run of a turn ends that was cancelled.
pub(crate) fn cancelled_run(run: Run, at: DateTime<Utc>) -> Run {
    Run {
        status: RunStatus::Canceled,
        ended_at: Some(at),
        ..run
    }
}

/// How the run of a turn ends that a dead process left.
pub(crate) fn interrupted_run(run: Run, at: DateTime<Utc>) -> Run {
    Run {
        status: RunStatus::Failed,
        ended_at: Some(at),
        error: Some(INTERRUPTED.to_owned()),
        ..run
    }
}

/// What the thread says of a turn that a dead process left.
pub(crate) fn interrupted_event(
    thread_id: &str,
    run_id: Option<String>,
    at: DateTime<Utc>,
) -> ThreadEvent {
    system_event(
        thread_id,
        run_id,
        "The answer was interrupted because the server stopped. Please send the message again.",
        at,
    )
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
