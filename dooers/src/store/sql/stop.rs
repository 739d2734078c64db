//! The reasons why an operation stops.

use super::RowError;
use crate::store::StoreError;

/// The reason why an operation stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A rule refused the operation. The refusal is its result and does not affect other operations.
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
