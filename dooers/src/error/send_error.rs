//! The error of sending an event or a change.

use super::AgentError;
use super::as_error::AsError;
use crate::store::StoreError;
use std::error::Error;
use std::sync::Arc;

/// The error of sending an event or a change of the thread.
///
/// It implements [`Error`](std::error::Error), so `?` converts it into [`AgentError`], `anyhow::Error` and error types
/// with a `From<SendError>`. An [`AgentError`] that was made from it is [public](AgentError::public) and
/// [retryable](AgentError::is_retryable) if the stream that failed returned such an error, also if other error types are
/// in between.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::SendError;
///
/// /// The error of a module that knows nothing about agents.
/// #[derive(Debug)]
/// enum ReportError {
///     NotSent(SendError),
/// }
/// # impl std::fmt::Display for ReportError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         f.write_str("the report was not sent")
/// #     }
/// # }
/// # impl std::error::Error for ReportError {
/// #     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
/// #         let Self::NotSent(error) = self;
/// #         Some(error)
/// #     }
/// # }
///
/// impl From<SendError> for ReportError {
///     fn from(error: SendError) -> Self {
///         Self::NotSent(error)
///     }
/// }
///
/// async fn report(response: &WorkerResponse) -> Result<(), ReportError> {
///     response.text("All is well.").await?;
///     Ok(())
/// }
///
/// #[dooers::agent]
/// async fn reporter(response: WorkerResponse) -> Result<()> {
///     report(&response).await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SendError(Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Refused(Arc<dyn Error + Send + Sync>),
    #[error(transparent)]
    Store(Arc<StoreError>),
    #[error("{0}")]
    Run(&'static str),
    #[error("{0}")]
    TurnEnded(&'static str),
    // Not transparent, so that `AgentError` finds the error of the stream in the chain of sources.
    #[error("the stream failed")]
    Stream(#[source] AsError),
}

impl SendError {
    pub(crate) fn refused(error: Arc<dyn Error + Send + Sync>) -> Self {
        Self(Cause::Refused(error))
    }

    /// `run_start` and `run_end` were called in a state that does not allow them.
    pub(crate) fn run(reason: &'static str) -> Self {
        Self(Cause::Run(reason))
    }

    pub(crate) fn turn_ended(reason: &'static str) -> Self {
        Self(Cause::TurnEnded(reason))
    }

    pub(crate) fn stream(error: AgentError) -> Self {
        Self(Cause::Stream(AsError::from(error)))
    }

    pub(crate) fn store(error: &Arc<StoreError>) -> Self {
        Self(Cause::Store(Arc::clone(error)))
    }

    /// Returns true if clients could not show the event, or if it cannot be stored as it is. Sending it again fails
    /// again.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.0, Cause::Refused(_))
    }

    /// Returns true if the turn has ended, so that nothing can be sent any more. A task that outlives its turn meets
    /// this error.
    #[must_use]
    pub fn is_turn_ended(&self) -> bool {
        matches!(self.0, Cause::TurnEnded(_))
    }

    /// The error of the store, if the store failed.
    #[must_use]
    pub fn store_error(&self) -> Option<&StoreError> {
        match &self.0 {
            Cause::Store(error) => Some(error),
            _ => None,
        }
    }

    /// The error of the stream, if a stream of texts failed.
    #[must_use]
    pub fn stream_error(&self) -> Option<&AgentError> {
        match &self.0 {
            Cause::Stream(error) => Some(error.agent_error()),
            _ => None,
        }
    }

    /// The error of the stream itself, or else this error.
    pub(crate) fn into_stream_error(self) -> Result<AgentError, Self> {
        match self.0 {
            Cause::Stream(error) => Ok(error.into_agent_error()),
            cause => Err(Self(cause)),
        }
    }
}
