//! Turns: who answers which message.

use super::{Change, Scope, StoreError, ThreadPatch, ThreadRecord};
use crate::protocol::{Actor, ContentPart, EventType, Run, RunStatus, ThreadEvent, new_id};
use chrono::{DateTime, Utc};

/// How a turn is to be started once it is claimed.
#[derive(Debug, Clone)]
pub struct Start {
    /// The process that will run it.
    pub node: String,
    /// The id of its run; none if the handler starts its runs itself.
    pub run_id: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// Until when the turn is this process's, unless it [renews](super::Store::renew_leases) that.
    pub lease_until: DateTime<Utc>,
}

impl Start {
    /// The run that begins with the turn.
    pub(crate) fn run(&self, agent: &str, thread_id: &str) -> Option<Run> {
        Some(Run {
            id: self.run_id.clone()?,
            thread_id: thread_id.to_owned(),
            agent_id: Some(agent.to_owned()),
            status: RunStatus::Running,
            started_at: self.at,
            ended_at: None,
            error: None,
        })
    }
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
    /// Its run, if the server starts it.
    pub run: Option<Run>,
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
}

/// A turn that is finished.
#[derive(Debug)]
pub struct Written {
    /// What changed.
    pub changes: Vec<Change>,
    /// The thread's next turn.
    pub next: Option<Claim>,
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
    /// One of its runs.
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

impl Cancel {
    /// The run of a turn that never began.
    pub(crate) fn run(&self, agent: &str, thread_id: &str) -> Run {
        Run {
            id: self.run_id.clone(),
            thread_id: thread_id.to_owned(),
            agent_id: Some(agent.to_owned()),
            status: RunStatus::Canceled,
            started_at: self.at,
            ended_at: Some(self.at),
            error: None,
        }
    }
}

/// What a dead process left.
#[derive(Debug, Default)]
pub struct Recovered {
    /// How many turns were ended as interrupted.
    pub interrupted: usize,
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
