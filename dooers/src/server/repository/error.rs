//! Why a repository did not do what it was asked.

use crate::handler::ReplyError;
use crate::protocol::UploadNotFound;
use crate::settings::SettingsError;
use crate::store::StoreError;

/// Why a repository did not do what it was asked. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// There is no such thing in the scope.
    #[error(
        "there is no such {0}: it was removed, or there never was one of this id for the agent, worker, organization, workspace and user of the scope"
    )]
    NotFound(&'static str),
    /// A part of the content names an upload that the server does not have.
    #[error(transparent)]
    UploadNotFound(#[from] UploadNotFound),
    /// It contradicts what is there; the text says what to do.
    #[error("{0}")]
    Conflict(String),
    /// It cannot be so; the text says what is allowed.
    #[error("{0}")]
    Invalid(String),
    /// The settings cannot be read or changed so.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<ReplyError> for RepositoryError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Upload(error) => Self::UploadNotFound(error),
            ReplyError::Form(error) => Self::Invalid(error.to_string()),
            ReplyError::Content(error) => Self::Invalid(error.to_string()),
            ReplyError::NoKey(text) => Self::Invalid(text),
        }
    }
}

impl From<StoreError> for RepositoryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::NotFound(what),
            StoreError::Conflict(text) => Self::Conflict(text),
            StoreError::Invalid(text) => Self::Invalid(text),
            error => Self::Store(error),
        }
    }
}
