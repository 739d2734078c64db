//! Why a store did not do what it was asked.

use std::error::Error;

/// Why a store did not do what it was asked. Nothing was changed then, except that the outcome of a change is unknown after
/// [`Unavailable`](StoreError::Unavailable).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such thing in the scope.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// It contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// The thread is being answered, and its agent takes no other message meanwhile.
    #[error("{0}")]
    Busy(String),
    /// It cannot be stored as it is.
    #[error("{0}")]
    Invalid(String),
    /// Too much waits already; it may be tried again later.
    #[error("{0}")]
    Overloaded(String),
    /// The turn was taken over, ended or deleted meanwhile.
    #[error("the turn is no longer this process's")]
    StaleFence,
    /// The database cannot be opened; the text says what to do.
    #[error("{0}")]
    Open(String),
    /// The database cannot be used now: it could not be reached for some time, its disk is full or broken, or its file is
    /// gone. The same may succeed later.
    ///
    /// The answer to a change may have been lost after the change was made: see
    /// [`Store::settled`](crate::store::Store::settled).
    #[error("the database is not available to {what}")]
    Unavailable {
        /// The operation that was refused.
        what: &'static str,
        /// The fault.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database failed.
    #[error("the database failed to {what}")]
    Failed {
        /// What it was doing.
        what: &'static str,
        /// What it says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the database failed or was away, and the same may succeed later.
    pub(crate) fn is_of_the_database(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Unavailable { .. })
    }
}
