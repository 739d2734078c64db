//! What can go wrong with a turn that the program starts.

use crate::AgentError;
use crate::protocol::{ErrorBody, NotAdmitted, Run, RunStatus, UploadNotFound};
use crate::server::ServerError;
use crate::store::StoreError;
use crate::turn::TurnOutcome;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a message was not dispatched. Nothing was stored then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// Something that was given does not fit; the text says what to do.
    #[error("{0}")]
    Invalid(String),
    /// The server does not serve the agent.
    #[error(
        "the server does not serve the agent `{0}`: name it with `.agent::<…>()`, or leave all such calls out to serve every agent"
    )]
    NotServed(&'static str),
    /// There is no such thing in this scope, or it is in another one.
    #[error(
        "there is no such {0} for this agent, worker, organization, workspace and user: the id is that of another one, or \
         the idempotency key was used in one that was deleted; use a new one"
    )]
    NotFound(&'static str),
    /// A part of the message names an upload that the server does not have.
    #[error(transparent)]
    UploadNotFound(#[from] UploadNotFound),
    /// The agent takes no message while it answers another one of the thread (`on_busy = "reject"`).
    #[error("{0}")]
    Busy(String),
    /// So many messages of the thread wait that there is no room for another one.
    #[error("{0}")]
    Overloaded(String),
    /// The idempotency key was used for another message, or with another agent.
    #[error(
        "the idempotency key was used for another message, or with another agent of the worker; make a new key for each \
         message"
    )]
    Conflict,
    /// The server cannot start, or was closed.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The database failed. The message may be stored or not: send it again with the same idempotency key.
    #[error(
        "the database failed to store the message; send it again with the same idempotency key"
    )]
    Store(#[source] StoreError),
}

impl From<StoreError> for DispatchError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::NotFound(what),
            StoreError::Busy(text) => Self::Busy(text),
            StoreError::Overloaded(text) => Self::Overloaded(text),
            // What else a store finds in conflict are ids, and those of a new message are new.
            StoreError::Conflict(_) => Self::Conflict,
            StoreError::Invalid(text) => Self::Invalid(text),
            error => Self::Store(error),
        }
    }
}

impl From<ErrorBody> for DispatchError {
    fn from(error: ErrorBody) -> Self {
        Self::Invalid(error.message)
    }
}

impl From<NotAdmitted> for DispatchError {
    fn from(refused: NotAdmitted) -> Self {
        Self::Invalid(refused.to_string())
    }
}

/// Why a turn did not succeed.
///
/// Its [`source`](Error::source) is the error that the handler met, if it ran in this process.
#[derive(Debug, Clone)]
pub struct HandlerError {
    kind: HandlerErrorKind,
    /// How the turn ended, if it did in this process.
    outcome: Option<Arc<TurnOutcome>>,
    /// What the run's record says.
    recorded: Option<String>,
}

/// In which way a turn did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandlerErrorKind {
    /// The handler returned an error, or panicked.
    Failed,
    /// It took longer than its agent's `timeout`.
    TimedOut,
    /// Somebody cancelled it, or a later message interrupted it.
    Cancelled,
    /// The server stopped, or its process was lost, before the handler was done.
    Interrupted,
    /// Its thread was deleted.
    ThreadDeleted,
    /// The server stopped. The turn is left to its next start.
    ServerStopped,
}

impl HandlerError {
    pub(super) fn new(kind: HandlerErrorKind) -> Self {
        Self {
            kind,
            outcome: None,
            recorded: None,
        }
    }

    /// How a turn ended that was watched. None if it succeeded.
    pub(super) fn of_outcome(outcome: &Arc<TurnOutcome>) -> Option<Self> {
        let kind = match &**outcome {
            TurnOutcome::Succeeded => return None,
            TurnOutcome::Failed(_) => HandlerErrorKind::Failed,
            TurnOutcome::TimedOut => HandlerErrorKind::TimedOut,
            TurnOutcome::Cancelled => HandlerErrorKind::Cancelled,
            TurnOutcome::Interrupted => HandlerErrorKind::Interrupted,
        };
        Some(Self {
            outcome: Some(Arc::clone(outcome)),
            ..Self::new(kind)
        })
    }

    /// How a turn ended by what is recorded of its last run. None if it succeeded.
    pub(super) fn of_run(run: &Run) -> Option<Self> {
        let kind = match run.status {
            RunStatus::Failed => HandlerErrorKind::Failed,
            RunStatus::Canceled => HandlerErrorKind::Cancelled,
            RunStatus::Running | RunStatus::Succeeded => return None,
        };
        Some(Self {
            recorded: run.error.clone(),
            ..Self::new(kind)
        })
    }

    /// In which way the turn did not succeed.
    #[must_use]
    pub fn kind(&self) -> HandlerErrorKind {
        self.kind
    }

    /// What the handler returned, if it failed in this process.
    #[must_use]
    pub fn agent_error(&self) -> Option<&AgentError> {
        match self.outcome.as_deref() {
            Some(TurnOutcome::Failed(error)) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            HandlerErrorKind::Failed => "the handler failed",
            HandlerErrorKind::TimedOut => "the handler took longer than its agent allows",
            HandlerErrorKind::Cancelled => "the turn was cancelled",
            HandlerErrorKind::Interrupted => "the server stopped before the handler was done",
            HandlerErrorKind::ThreadDeleted => "the thread was deleted",
            HandlerErrorKind::ServerStopped => {
                "the server stopped; the turn is left to its next start"
            }
        })?;
        let public = self.agent_error().and_then(AgentError::public_text);
        match public.or(self.recorded.as_deref()) {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl Error for HandlerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.agent_error()?.source()?;
        Some(source)
    }
}
