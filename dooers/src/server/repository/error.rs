//! The error of a repository.

use crate::handler::ReplyError;
use crate::protocol::UploadNotFound;
use crate::settings::SettingsError;
use crate::store::StoreError;

/// The reason why a repository refused or failed a request. The request changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// A thread, event or run that does not exist in the scope.
    #[error(
        "there is no such {0}: it was removed, or it never existed for the agent, worker, organization, workspace and user of the scope"
    )]
    NotFound(&'static str),
    /// A content part that names an upload that the server does not have.
    #[error(transparent)]
    UploadNotFound(#[from] UploadNotFound),
    /// A scope outside the worker, organization or workspace of the turn that the repository belongs to.
    #[error(
        "the scope has {scope}, but the repository belongs to a turn with {turn}: use a scope that `TurnServer` returns, or \
         `everywhere()` of the repository to reach other places"
    )]
    #[non_exhaustive]
    OutsideTurn {
        /// A description of the scope's place.
        scope: String,
        /// A description of the turn's place.
        turn: String,
    },
    /// A request that contradicts the present state. The text states the way out.
    #[error("{0}")]
    Conflict(String),
    /// A value that is not allowed. The text states the rule.
    #[error("{0}")]
    Invalid(String),
    /// An error of the settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// An error of the store.
    #[error(transparent)]
    Store(StoreError),
}

impl From<ReplyError> for RepositoryError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Upload(error) => Self::UploadNotFound(error),
            ReplyError::Form(error) => Self::Invalid(error.to_string()),
            ReplyError::Content(error) => Self::Invalid(error.to_string()),
            ReplyError::Usage(error) => Self::Invalid(error.to_string()),
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
