//! Errors of messages that the program sends, and of the turns that answer them.

use crate::AgentError;
use crate::protocol::{ErrorBody, NotAdmitted, Run, RunStatus, UploadNotFound};
use crate::server::ServerError;
use crate::store::StoreError;
use crate::turn::TurnOutcome;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The error of [`Dispatch::send`](crate::Dispatch::send). Nothing was stored, except possibly in the case of
/// [`Store`](Self::Store).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// The message is invalid. The text states the reason and what to change.
    #[error("{0}")]
    Invalid(String),
    /// The server does not serve the agent.
    #[error(
        "the server does not serve an agent with the name `{0}`: correct the name, or add the agent with `.agent::<…>()`, `.annotated_agents()` or `.add_agent(…)`"
    )]
    NotServed(String),
    /// The thread belongs to another scope, or the idempotency key was used in a thread that was deleted.
    #[error(
        "there is no such {0} for this agent, worker, organization, workspace and user: the id belongs to another scope, or \
         the idempotency key was used in a thread that was deleted; use a new id or key"
    )]
    NotFound(&'static str),
    /// A part of the message names an upload that the server does not have.
    #[error(transparent)]
    UploadNotFound(#[from] UploadNotFound),
    /// Another message of the thread is being answered, and the agent rejects messages in the meantime
    /// (`on_busy = "reject"`).
    #[error("{0}")]
    Busy(String),
    /// The queue of the thread is full.
    #[error("{0}")]
    Overloaded(String),
    /// A [`UsageLimit`](crate::UsageLimit) is reached.
    #[error("{text}")]
    RateLimited {
        /// The limit, and the way out.
        text: String,
        /// The time until the period of the limit ends.
        retry_after: Duration,
    },
    /// The idempotency key was used for another message, or with another agent of the worker.
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
            StoreError::RateLimited { text, retry_after } => {
                Self::RateLimited { text, retry_after }
            }
            // All other ids of the message are new, so only the idempotency key can conflict.
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

/// The error of a turn that did not succeed.
///
/// If the handler ran in this process, [`source`](Error::source) is the cause of the error that it returned.
#[derive(Debug, Clone)]
pub struct HandlerError {
    kind: HandlerErrorKind,
    /// The outcome of the turn, if it ended in this process.
    outcome: Option<Arc<TurnOutcome>>,
    /// The error text of the stored run.
    recorded: Option<String>,
}

/// The kind of a [`HandlerError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandlerErrorKind {
    /// The handler returned an error or panicked.
    ///
    /// If the turn had already ended, or ran in another process, only the record of its last run is known. Timeouts and
    /// interruptions are then also of this kind.
    Failed,
    /// The turn took longer than the agent's `timeout`.
    TimedOut,
    /// The turn was cancelled, or interrupted by a later message.
    Cancelled,
    /// The server stopped or its process died before the handler finished.
    Interrupted,
    /// The thread was deleted.
    ThreadDeleted,
    /// The server stopped before the outcome of the turn was known. A queued turn runs at the next start.
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

    /// Creates the error from the outcome of a turn. `None` if the turn succeeded.
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

    /// Creates the error from the record of a turn's last run. `None` if the run succeeded or has not ended.
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

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> HandlerErrorKind {
        self.kind
    }

    /// The error that the handler returned, if it failed in this process.
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
            HandlerErrorKind::Interrupted => "the server stopped before the handler finished",
            HandlerErrorKind::ThreadDeleted => "the thread was deleted",
            HandlerErrorKind::ServerStopped => {
                "the server stopped before the outcome of the turn was known"
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
