//! The error of reading a thread's memory.

use crate::store::StoreError;

/// An error while reading a thread's memory. Items that were returned before the error are complete.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The thread does not exist in this scope.
    #[error(
        "the thread cannot be read: it was deleted, or no thread with this id exists in this scope"
    )]
    NoThread,
    /// The database failed.
    #[error("the thread cannot be read now; try again when the database answers")]
    Failed(#[source] StoreError),
}

impl From<StoreError> for MemoryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::NoThread,
            error => Self::Failed(error),
        }
    }
}
