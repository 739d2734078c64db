//! Refusals of frames.

use super::{cleaned, whole_number};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The stable code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The text is not a frame: it is not a JSON object with a known `type` and a string `id`.
    InvalidFrame,
    /// The payload does not fit the type of the frame.
    InvalidPayload,
    /// The frame was sent before `connect`.
    NotConnected,
    /// The credentials were refused.
    Unauthorized,
    /// There is nothing with this id that the connection may see.
    NotFound,
    /// A content part names an upload that the server does not have, and has no URL.
    UploadNotFound,
    /// The action is not allowed on something that the connection may see.
    Forbidden,
    /// The agent does not have this feature.
    NotConfigured,
    /// The settings field cannot be changed by this client.
    Readonly,
    /// The settings field is internal: only the agent can change it.
    Internal,
    /// The value does not fit the settings field.
    InvalidValue,
    /// The quota is used up.
    RateLimited,
    /// A queue is full.
    Overloaded,
    /// The request contradicts stored data.
    Conflict,
    /// The server failed.
    InternalError,
}

/// A refusal, as sent in an `ack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ErrorBody {
    /// The code, for programs.
    pub code: ErrorCode,
    /// The problem and the way out, for people.
    pub message: String,
    /// The delay before another attempt makes sense, in milliseconds.
    #[serde(
        default,
        deserialize_with = "whole_number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after_ms: Option<u64>,
}

impl ErrorBody {
    /// Creates a refusal with this code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            // The message may quote the refused value.
            message: cleaned(message.into()),
            retry_after_ms: None,
        }
    }

    /// Sets the delay before another attempt makes sense, rounded up so that it never ends too early.
    pub(crate) fn after(self, delay: Duration) -> Self {
        let millis = delay.as_nanos().div_ceil(1_000_000);
        Self {
            retry_after_ms: Some(u64::try_from(millis).unwrap_or(u64::MAX)),
            ..self
        }
    }

    pub(crate) fn invalid_frame(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidFrame, message)
    }

    pub(crate) fn invalid_payload(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidPayload, message)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no such {what}"))
    }
}
