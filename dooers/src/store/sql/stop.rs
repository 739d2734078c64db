//! Why an operation stopped.

use super::RowError;
use crate::store::StoreError;

/// Why an operation stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It may not be done. This is its answer, and no other operation's concern.
    Refused(StoreError),
    /// The database failed.
    Fault(RowError),
}

impl From<StoreError> for Stop {
    fn from(refusal: StoreError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<RowError> for Stop {
    fn from(error: RowError) -> Self {
        Self::Fault(error)
    }
}

#[cfg(feature = "sqlite")]
impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(error.into())
    }
}
