//! Changes of threads that no turn makes: the program's own.

use super::{
    Cancel, CancelTarget, Cancelled, Change, EventPatch, NewThread, Participant, RunPatch, Scope,
    StoreError, ThreadPatch, Waiting,
};
use crate::protocol::{Run, RunStatus, Thread, ThreadEvent, User};
use chrono::{DateTime, Utc};

/// A thread that the program makes.
#[derive(Debug, Clone)]
pub struct ThreadDraft {
    /// Its id, title and metadata.
    pub thread: NewThread,
    /// Whose it is; nobody's, if the id is empty.
    pub owner: User,
    /// When.
    pub at: DateTime<Utc>,
}

impl ThreadDraft {
    /// The thread, in this scope.
    pub(crate) fn thread(&self, scope: &Scope) -> Thread {
        self.thread.thread(scope, &self.owner, self.at)
    }

    /// Who takes part in it: its owner, if it has one.
    pub(crate) fn participant(&self) -> Option<Participant> {
        let has_owner = !self.owner.user_id.is_empty();
        has_owner.then(|| Participant::user(&self.owner))
    }
}

/// One change of a thread.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ThreadEdit {
    /// The thread's title or metadata.
    Patch {
        /// The new values.
        patch: ThreadPatch,
        /// When.
        at: DateTime<Utc>,
    },
    /// A new event, whose `seq` is given by the store. The user that it names takes part from then on.
    CreateEvent(Box<ThreadEvent>),
    /// What an event says.
    UpdateEvent {
        /// Which event.
        event_id: String,
        /// The new values.
        patch: EventPatch,
    },
    /// Takes away what an event says. If it is a message that waits for its answer, or is being answered, that is
    /// cancelled.
    RemoveEvent {
        /// Which event.
        event_id: String,
        /// The id of the run that tells that its turn is withdrawn, if the turn has none yet.
        run_id: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// A new run, which no turn has.
    CreateRun(Run),
    /// How a run ended.
    UpdateRun {
        /// Which run.
        run_id: String,
        /// The end.
        patch: RunPatch,
        /// When.
        at: DateTime<Utc>,
    },
    /// Takes a run away that has ended. Its events stay.
    RemoveRun(String),
}

/// A change that was made.
#[derive(Debug, Default)]
pub struct Edited {
    /// What changed.
    pub changes: Vec<Change>,
    /// The message whose turn runs and is to be cancelled, since it was removed.
    pub interrupted: Option<String>,
    /// The thread, if others of its turns wait and none runs: they may be claimed.
    pub waiting: Option<Waiting>,
}

impl Edited {
    pub(crate) fn by(changes: impl Into<Vec<Change>>) -> Self {
        Self {
            changes: changes.into(),
            ..Self::default()
        }
    }

    /// The same, by which a turn was cancelled.
    pub(crate) fn and(mut self, cancelled: Cancelled) -> Self {
        match cancelled {
            Cancelled::Withdrawn { changes, waiting } => {
                self.changes.extend(changes);
                self.waiting = waiting;
            }
            Cancelled::Running { event_id, .. } => self.interrupted = Some(event_id),
            Cancelled::Ended => {}
        }
        self
    }
}

/// The wish to cancel the turn of a message that is removed.
pub(crate) fn cancel_of_removed(event_id: &str, run_id: &str, at: DateTime<Utc>) -> Cancel {
    Cancel {
        target: CancelTarget::Event(event_id.to_owned()),
        run_id: run_id.to_owned(),
        at,
    }
}

/// The event, if it is there to be changed.
pub(crate) fn changeable(event: Option<ThreadEvent>) -> Result<ThreadEvent, StoreError> {
    let event = event.filter(|event| !event.is_deleted());
    let event = event.ok_or(StoreError::NotFound("event in this thread"))?;
    if event.streaming == Some(true) {
        return Err(StoreError::Conflict(format!(
            "the text of the event `{}` still grows; wait for its end, or cancel its run first",
            event.id
        )));
    }
    Ok(event)
}

/// The run, if it may be ended by the program: not as long as its turn does.
pub(crate) fn endable(
    run: Option<Run>,
    has_turn: impl FnOnce(&str) -> bool,
) -> Result<Run, StoreError> {
    let run = run.ok_or(StoreError::NotFound("run in this thread"))?;
    let goes_on = run.status == RunStatus::Running;
    if goes_on && run.event_id.as_deref().is_some_and(has_turn) {
        return Err(StoreError::Conflict(format!(
            "the run `{}` is ended by its handler; to end it early, cancel it",
            run.id
        )));
    }
    Ok(run)
}

/// Refuses to remove a run that goes on.
pub(crate) fn check_removable(run: Option<&Run>) -> Result<(), StoreError> {
    let run = run.ok_or(StoreError::NotFound("run in this thread"))?;
    if run.status == RunStatus::Running {
        return Err(StoreError::Conflict(format!(
            "the run `{}` goes on; cancel or end it first",
            run.id
        )));
    }
    Ok(())
}

/// Refuses an event of a run that is not there.
pub(crate) fn check_run(
    run_id: Option<&str>,
    is_known: impl FnOnce(&str) -> bool,
) -> Result<(), StoreError> {
    if run_id.is_none_or(is_known) {
        return Ok(());
    }
    Err(StoreError::NotFound("run in this thread"))
}

/// What is made has the id of something else.
pub(crate) fn id_is_taken(what: &str, id: &str) -> StoreError {
    StoreError::Conflict(format!(
        "the id `{id}` is taken by another {what}; choose another one, or none, and one is made"
    ))
}
