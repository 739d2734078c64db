//! The outcome of an attempt.

use crate::AgentError;
use crate::handler::AttemptOutcome;
use crate::protocol::RunStatus;
use crate::store::LONGEST_BACK_OFF;
use std::time::Duration;

/// Delay before the second attempt. Each further attempt waits twice as long, up to [`LONGEST_BACK_OFF`].
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);

/// The outcome of a turn, as it is recorded.
#[derive(Debug)]
pub(crate) enum TurnOutcome {
    Succeeded,
    Failed(AgentError),
    Cancelled,
    /// The turn took longer than its agent allows.
    TimedOut,
    /// The turn took too long while the server was stopping, or its process died or lost the turn.
    Interrupted,
}

impl TurnOutcome {
    pub(super) fn of(result: Result<(), AgentError>) -> Self {
        match result {
            Ok(()) => Self::Succeeded,
            Err(error) => Self::Failed(error),
        }
    }

    /// The outcome, as middleware sees it.
    pub(super) fn shown(&self) -> AttemptOutcome<'_> {
        match self {
            Self::Succeeded => AttemptOutcome::Succeeded,
            Self::Failed(error) => AttemptOutcome::Failed(error),
            Self::Cancelled => AttemptOutcome::Cancelled,
            Self::TimedOut => AttemptOutcome::TimedOut,
            Self::Interrupted => AttemptOutcome::Interrupted,
        }
    }

    /// The status of the run of a turn with this outcome.
    pub(super) fn status(&self) -> RunStatus {
        match self {
            Self::Succeeded => RunStatus::Succeeded,
            Self::Failed(_) | Self::TimedOut | Self::Interrupted => RunStatus::Failed,
            Self::Cancelled => RunStatus::Canceled,
        }
    }

    /// The outcome of a turn that ended without its handler, by the status of its run. `None` if the run is
    /// running or has succeeded.
    pub(super) fn of_record(status: RunStatus) -> Option<Self> {
        match status {
            RunStatus::Canceled => Some(Self::Cancelled),
            RunStatus::Failed => Some(Self::Interrupted),
            RunStatus::Running | RunStatus::Succeeded => None,
        }
    }

    /// The delay before the next attempt. `None` if another attempt makes no sense.
    pub(super) fn retry_after(&self, attempt: u32) -> Option<Duration> {
        match self {
            Self::Failed(error) if error.is_retryable() => {
                let doubled = FIRST_BACK_OFF.saturating_mul(1 << (attempt - 1).min(16));
                Some(doubled.min(LONGEST_BACK_OFF))
            }
            Self::Interrupted => Some(Duration::ZERO),
            Self::Succeeded | Self::Failed(_) | Self::Cancelled | Self::TimedOut => None,
        }
    }
}
