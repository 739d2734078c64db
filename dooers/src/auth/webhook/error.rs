//! The error of a request.

use crate::http::HttpError;
use crate::protocol::NotAdmitted;
use hyper::StatusCode;

/// The reason why the receiver did not decide about a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(
        "the name of the receiver resolves only to private addresses, which tokens must not reach; set WORKER_AUTH_WEBHOOK_ALLOW_PRIVATE=true if that is intended"
    )]
    Private,
    #[error(transparent)]
    Http(HttpError),
    #[error("the request cannot be written as JSON")]
    Body(#[source] serde_json::Error),
    #[error(
        "the receiver answered {0}; 200 accepts a token, 401 and 403 refuse it, and redirects are not followed"
    )]
    Status(StatusCode),
    #[error("the answer is not the JSON of an identity")]
    NotJson(#[source] serde_json::Error),
    #[error("the identity in the answer has the unknown member `{0}`")]
    UnknownMember(String),
    #[error("the identity in the answer has no `user.user_id`, which must not be empty")]
    NoUser,
    #[error("the identity in the answer cannot be used")]
    NotAdmitted(#[source] NotAdmitted),
}

impl From<HttpError> for AskError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Private => Self::Private,
            other => Self::Http(other),
        }
    }
}
