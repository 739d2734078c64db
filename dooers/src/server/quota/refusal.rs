//! The answers to what is over a quota.

use super::Quotas;
use crate::protocol::{ErrorBody, ErrorCode};
use std::time::Duration;

/// The delay before another attempt makes sense if nobody knows when there will be room.
const RETRY_AFTER: Duration = Duration::from_secs(1);

fn limited(text: impl Into<String>, retry_after: Duration) -> ErrorBody {
    ErrorBody::new(ErrorCode::RateLimited, text).after(retry_after)
}

pub(super) fn frames(retry_after: Duration) -> ErrorBody {
    limited(
        "you send more frames than one user may; wait for `retry_after_ms`, and send this one again",
        retry_after,
    )
}

pub(super) fn messages(retry_after: Duration) -> ErrorBody {
    limited(
        "you send more messages than one user may; wait for `retry_after_ms`, and send this one again",
        retry_after,
    )
}

pub(super) fn threads(retry_after: Duration) -> ErrorBody {
    limited(
        "you have started as many threads as one user may in 24 hours; write to one of them, or wait for `retry_after_ms`",
        retry_after,
    )
}

pub(super) fn settings_patches(retry_after: Duration) -> ErrorBody {
    limited(
        "you change settings more often than one user may; wait for `retry_after_ms`, and send this change again",
        retry_after,
    )
}

pub(super) fn thread_updates(retry_after: Duration) -> ErrorBody {
    limited(
        "you change titles of threads more often than one user may; wait for `retry_after_ms`, and send this change again",
        retry_after,
    )
}

pub(super) fn failed_authentications(retry_after: Duration) -> ErrorBody {
    limited(
        "too many authentications from this address were refused; wait for `retry_after_ms`, and try again",
        retry_after,
    )
}

pub(super) fn waiting_turns(most: u32) -> ErrorBody {
    let text = format!(
        "{most} of your messages wait for their answers; send this one again after the next answer"
    );
    limited(text, RETRY_AFTER)
}

pub(super) fn connections(quotas: &Quotas) -> ErrorBody {
    let text = format!(
        "one user may have {} connections; close another one, and send `connect` again",
        quotas.connections
    );
    limited(text, RETRY_AFTER)
}

/// Without a delay, because waiting does not help.
pub(super) fn subscriptions(most: u32) -> ErrorBody {
    let text = format!(
        "a connection may be subscribed to {most} threads; send `thread.unsubscribe` for another one first"
    );
    ErrorBody::new(ErrorCode::RateLimited, text)
}
