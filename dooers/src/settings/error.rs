//! The error of reading or changing settings.

use super::PatchError;
use super::seal::UnsealError;
use crate::store::StoreError;

/// An error while reading or changing settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The agent has no settings.
    #[error("the agent `{0}` has no settings")]
    NotConfigured(String),
    /// The change is not allowed, or the value does not fit.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// A secret cannot be decrypted.
    #[error("the setting `{field_id}` cannot be read")]
    Sealed {
        /// The id of the field.
        field_id: String,
        /// The reason.
        #[source]
        source: UnsealError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
