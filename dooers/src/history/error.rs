//! Why something could not be remembered.

use crate::store::StoreError;

/// Why something could not be remembered. What was read before it is whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The thread is not there.
    #[error(
        "the thread cannot be read: it was deleted, or there never was one of its id in this scope"
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
