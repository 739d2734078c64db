//! The reasons why a store refuses an operation.

use std::error::Error;

/// The reason why a store refused an operation. Nothing was changed, except that the outcome of a change is unknown after
/// [`Unavailable`](StoreError::Unavailable).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The scope does not contain the requested item.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The operation contradicts the stored data.
    #[error("{0}")]
    Conflict(String),
    /// The thread is being answered, and its agent accepts no other message in the meantime.
    #[error("{0}")]
    Busy(String),
    /// The user may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The value cannot be stored.
    #[error("{0}")]
    Invalid(String),
    /// Too many operations are waiting. The operation may be retried later.
    #[error("{0}")]
    Overloaded(String),
    /// A [`UsageLimit`](crate::UsageLimit) is reached.
    #[error("{text}")]
    RateLimited {
        /// The limit, and the way out.
        text: String,
        /// The time until the period of the limit ends.
        retry_after: std::time::Duration,
    },
    /// Another process holds the turn, or the turn was ended or deleted.
    #[error("this process no longer holds the turn")]
    StaleFence,
    /// The database cannot be opened. The text includes the way out.
    #[error("{0}")]
    Open(String),
    /// The database is temporarily unavailable: it could not be reached for some time, its disk is full or broken, or
    /// its file is missing. The same operation may succeed later.
    ///
    /// The change may have been made and only its answer lost: see [`Store::settled`](crate::store::Store::settled).
    #[error("the database is not available to {what}")]
    Unavailable {
        /// The operation that was refused.
        what: &'static str,
        /// The fault.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The operation failed in the database.
    #[error("the database failed to {what}")]
    Failed {
        /// The operation that failed.
        what: &'static str,
        /// The error of the database.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// Returns `true` if the database failed or was unavailable, so that the same operation may succeed later.
    pub(crate) fn is_of_the_database(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Unavailable { .. })
    }
}
