//! Changes of threads that the program itself makes, without a turn.

use super::{
    Cancel, CancelTarget, Cancelled, Change, EventPatch, NewThread, Participant, PendingThread,
    RunPatch, Scope, StoreError, ThreadPatch, TurnKey,
};
use crate::protocol::{Run, RunStatus, Thread, ThreadEvent, User};
use chrono::{DateTime, Utc};

/// A thread that the program creates.
#[derive(Debug, Clone)]
pub struct ThreadDraft {
    /// The thread's id, title and metadata.
    pub thread: NewThread,
    /// The owner. If the user id is empty, the thread has no owner.
    pub owner: User,
    /// The time of the creation.
    pub at: DateTime<Utc>,
}

impl ThreadDraft {
    /// Creates the thread in this scope.
    pub(crate) fn thread(&self, scope: &Scope) -> Thread {
        self.thread.thread(scope, &self.owner, self.at)
    }

    /// Returns the owner as the first participant, if the thread has an owner.
    pub(crate) fn participant(&self) -> Option<Participant> {
        let has_owner = !self.owner.user_id.is_empty();
        has_owner.then(|| Participant::user(&self.owner))
    }
}

/// One change of a thread.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ThreadEdit {
    /// Changes the thread's title or metadata. Values that the thread already has are not a change.
    Patch {
        /// The new values.
        patch: ThreadPatch,
        /// The time of the change.
        at: DateTime<Utc>,
    },
    /// Adds an event. The store assigns its `seq`. The user of the event becomes a participant.
    CreateEvent(Box<ThreadEvent>),
    /// Changes the content or data of an event.
    UpdateEvent {
        /// The event to change.
        event_id: String,
        /// The new values.
        patch: EventPatch,
    },
    /// Removes the content of an event. If the event is a message whose turn waits or runs, the turn is cancelled.
    RemoveEvent {
        /// The event to remove.
        event_id: String,
        /// The id for the cancelled run, if the turn has no run yet.
        run_id: String,
        /// The time of the change.
        at: DateTime<Utc>,
    },
    /// Adds a run that does not belong to a turn.
    CreateRun(Run),
    /// Changes the end of a run.
    UpdateRun {
        /// The run to end.
        run_id: String,
        /// The new end.
        patch: RunPatch,
        /// The time of the change.
        at: DateTime<Utc>,
    },
    /// Removes a run that has ended. Its events stay.
    RemoveRun(String),
}

/// The result of an edit.
#[derive(Debug, Default)]
pub struct Edited {
    /// The changes that were made.
    pub changes: Vec<Change>,
    /// The removed message, if its turn runs and must be cancelled.
    pub interrupted: Option<String>,
    /// The thread, if other turns of it wait and none runs. They may be claimed.
    pub waiting: Option<PendingThread>,
    /// The question of the removed form, if a turn waits for its answer.
    pub unasked: Option<UnaskedQuestion>,
}

/// A question that ended because its form was removed, for the process that runs its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnaskedQuestion {
    /// The turn that waits.
    pub turn: TurnKey,
    /// The event of the form.
    pub form_event_id: String,
}

impl Edited {
    pub(crate) fn by(changes: impl Into<Vec<Change>>) -> Self {
        Self {
            changes: changes.into(),
            ..Self::default()
        }
    }

    /// Adds the cancellation of a turn to the edit.
    pub(crate) fn and(mut self, cancelled: Cancelled) -> Self {
        match cancelled {
            Cancelled::Withdrawn {
                changes, waiting, ..
            } => {
                self.changes.extend(changes);
                self.waiting = waiting;
            }
            Cancelled::Running { event_id, .. } => self.interrupted = Some(event_id),
            Cancelled::Ended => {}
        }
        self
    }
}

/// Creates the request to cancel the turn of a removed message.
pub(crate) fn cancel_of_removed(event_id: &str, run_id: &str, at: DateTime<Utc>) -> Cancel {
    Cancel {
        target: CancelTarget::Event(event_id.to_owned()),
        run_id: run_id.to_owned(),
        at,
    }
}

/// Returns the event if it can be changed: it is not deleted and not streaming.
pub(crate) fn changeable(event: Option<ThreadEvent>) -> Result<ThreadEvent, StoreError> {
    let event = event.filter(|event| !event.is_deleted());
    let event = event.ok_or(StoreError::NotFound("event in this thread"))?;
    if event.streaming == Some(true) {
        return Err(StoreError::Conflict(format!(
            "the event `{}` is still streaming; wait until it ends, or cancel its run first",
            event.id
        )));
    }
    Ok(event)
}

/// Returns the run if the program may end it. The run of a turn is ended by its handler.
pub(crate) fn endable(
    run: Option<Run>,
    has_turn: impl FnOnce(&str) -> bool,
) -> Result<Run, StoreError> {
    let run = run.ok_or(StoreError::NotFound("run in this thread"))?;
    let goes_on = run.status == RunStatus::Running;
    if goes_on && run.event_id.as_deref().is_some_and(has_turn) {
        return Err(StoreError::Conflict(format!(
            "the handler ends the run `{}`; to end it early, cancel it",
            run.id
        )));
    }
    Ok(run)
}

/// Refuses to remove a run that has not ended.
pub(crate) fn check_removable(run: Option<&Run>) -> Result<(), StoreError> {
    let run = run.ok_or(StoreError::NotFound("run in this thread"))?;
    if run.status == RunStatus::Running {
        return Err(StoreError::Conflict(format!(
            "the run `{}` has not ended; cancel or end it first",
            run.id
        )));
    }
    Ok(())
}

/// Refuses an event that names an unknown run.
pub(crate) fn check_run(
    run_id: Option<&str>,
    is_known: impl FnOnce(&str) -> bool,
) -> Result<(), StoreError> {
    if run_id.is_none_or(is_known) {
        return Ok(());
    }
    Err(StoreError::NotFound("run in this thread"))
}

/// Returns the error for a new item whose id is already in use.
pub(crate) fn id_is_taken(what: &str, id: &str) -> StoreError {
    StoreError::Conflict(format!(
        "the id `{id}` belongs to another {what}; choose another id, or omit it to have one generated"
    ))
}
