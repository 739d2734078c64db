//! The sender of a frame.

use crate::protocol::{ErrorBody, ErrorCode, new_id, with_error_id};
use crate::server::identity::Identity;
use crate::server::session::Session;
use crate::store::{PageLimit, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The delay after which a message may be sent again that was refused as `OVERLOADED`, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// The delay in milliseconds, rounded up, so that it never ends too early.
fn whole_millis(delay: Duration) -> u64 {
    let millis = delay.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// The sender of a frame, and the id of the frame.
pub(super) struct Caller<'a> {
    pub(super) session: &'a Session,
    pub(super) id: String,
    pub(super) identity: Arc<Identity>,
}

impl Caller<'_> {
    /// The refusal for an error of the store. Errors that the client did not cause are logged, and the refusal names the id
    /// under which the log has them.
    pub(super) fn refusal(&self, error: StoreError) -> ErrorBody {
        match error {
            StoreError::NotFound(what) => ErrorBody::not_found(what),
            StoreError::Overloaded(text) => ErrorBody {
                retry_after_ms: Some(RETRY_AFTER_MS),
                ..ErrorBody::new(ErrorCode::Overloaded, text)
            },
            StoreError::RateLimited { text, retry_after } => ErrorBody {
                retry_after_ms: Some(whole_millis(retry_after)),
                ..ErrorBody::new(ErrorCode::RateLimited, text)
            },
            StoreError::Unavailable { .. } => {
                let error_id = new_id();
                tracing::warn!(target: "dooers::server", error_id, frame_id = self.id, error = &error as &dyn std::error::Error, "a frame could not be answered");
                let text = "the server cannot use its database now; try again later";
                ErrorBody {
                    retry_after_ms: Some(RETRY_AFTER_MS),
                    ..ErrorBody::new(ErrorCode::Overloaded, with_error_id(text, &error_id))
                }
            }
            StoreError::Conflict(text) | StoreError::Busy(text) => {
                ErrorBody::new(ErrorCode::Conflict, text)
            }
            StoreError::Invalid(text) => ErrorBody::invalid_payload(text),
            StoreError::StaleFence | StoreError::Open(_) | StoreError::Failed { .. } => {
                self.failure(&error)
            }
        }
    }

    /// The refusal for an internal error, which names the id under which the log has the error.
    ///
    /// The id is a new one, because clients choose the ids of their frames, and many choose the same.
    pub(super) fn failure(&self, error: &(dyn std::error::Error + 'static)) -> ErrorBody {
        let error_id = new_id();
        tracing::error!(target: "dooers::server", error_id, frame_id = self.id, error, "a frame could not be answered");
        let text = "the server failed to answer this request; try again later";
        ErrorBody::new(ErrorCode::InternalError, with_error_id(text, &error_id))
    }
}

impl Caller<'_> {
    /// Checks that a request for `what` of a worker is for the connection's own worker.
    pub(super) fn check_worker(&self, what: &str, named: Option<String>) -> Result<(), ErrorBody> {
        let own = &self.identity.scope.worker_id;
        if named.is_none_or(|named| named == *own) {
            return Ok(());
        }
        Err(ErrorBody::new(
            ErrorCode::Forbidden,
            format!("these are {what} of another worker; `connect` to that worker first"),
        ))
    }

    /// The limits of a page: the requested number of items, up to `most`, and the maximum size of an answer in bytes.
    pub(super) fn page_limit(
        &self,
        limit: Option<i128>,
        default: usize,
        most: usize,
    ) -> Result<PageLimit, ErrorBody> {
        let items = match limit {
            None => default,
            Some(limit) if limit < 1 => {
                return Err(ErrorBody::invalid_payload(
                    "`payload.limit` must be at least 1",
                ));
            }
            Some(limit) => usize::try_from(limit).unwrap_or(most).min(most),
        };
        Ok(PageLimit::new(items).bytes(self.answer_bytes()))
    }

    /// Maximum size of an answer, in bytes of its items.
    pub(super) fn answer_bytes(&self) -> usize {
        self.session.server.config.limits.answer_bytes
    }
}
