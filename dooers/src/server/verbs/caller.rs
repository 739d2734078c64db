//! The sender of a frame.

use crate::protocol::{ErrorBody, ErrorCode, new_id, with_error_id};
use crate::server::identity::SessionIdentity;
use crate::server::session::Session;
use crate::store::{PageLimit, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The delay after which a message may be sent again that was refused as `OVERLOADED`.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The sender of a frame, and the id of the frame.
pub(super) struct Caller<'a> {
    pub(super) session: &'a Session,
    pub(super) id: String,
    pub(super) identity: Arc<SessionIdentity>,
}

impl Caller<'_> {
    /// The refusal for an error of the store. Errors that the client did not cause are logged, and the refusal names the id
    /// under which the log has them.
    pub(super) fn refusal(&self, error: StoreError) -> ErrorBody {
        match error {
            StoreError::NotFound(what) => ErrorBody::not_found(what),
            StoreError::Overloaded(text) => {
                ErrorBody::new(ErrorCode::Overloaded, text).after(RETRY_AFTER)
            }
            StoreError::RateLimited { text, retry_after } => {
                ErrorBody::new(ErrorCode::RateLimited, text).after(retry_after)
            }
            StoreError::Unavailable { .. } => {
                let error_id = new_id();
                tracing::warn!(target: "dooers::server", error_id, frame_id = self.id, error = &error as &dyn std::error::Error, "a frame could not be answered");
                let text = "the server cannot use its database now; try again later";
                ErrorBody::new(ErrorCode::Overloaded, with_error_id(text, &error_id))
                    .after(RETRY_AFTER)
            }
            StoreError::Conflict(text) | StoreError::Busy(text) => {
                ErrorBody::new(ErrorCode::Conflict, text)
            }
            StoreError::Forbidden(text) => ErrorBody::new(ErrorCode::Forbidden, text),
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
