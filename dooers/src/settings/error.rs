//! Why settings cannot be read or changed.

use super::PatchError;
use super::seal::UnsealError;
use crate::store::StoreError;

/// Why settings cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The agent has no settings.
    #[error("the agent `{0}` has no settings")]
    NotConfigured(String),
    /// The change is not allowed, or the value is not right.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// A secret cannot be read.
    #[error("the setting `{field_id}` cannot be read")]
    Sealed {
        /// The field.
        field_id: String,
        /// Why.
        #[source]
        source: UnsealError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
