//! Why a frame was refused.

use super::{cleaned, whole};
use serde::{Deserialize, Serialize};

/// The stable code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ErrorCode {
    /// Not a frame: no JSON object with a known `type` and a string `id`.
    InvalidFrame,
    /// The payload does not fit its type.
    InvalidPayload,
    /// Sent before `connect`.
    NotConnected,
    /// The credentials were refused.
    Unauthorized,
    /// Nothing of this id that this connection may see.
    NotFound,
    /// A content part names an upload that the server does not have, and no address.
    UploadNotFound,
    /// Visible, but not allowed.
    Forbidden,
    /// The agent has no such feature.
    NotConfigured,
    /// The settings field cannot be changed by this client.
    Readonly,
    /// The settings field is the agent's own.
    Internal,
    /// The value does not fit the settings field.
    InvalidValue,
    /// A quota is spent.
    RateLimited,
    /// A queue is full.
    Overloaded,
    /// It contradicts what is stored.
    Conflict,
    /// The server's own fault.
    InternalError,
}

/// A refusal, as it stands in an `ack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ErrorBody {
    /// What kind of refusal, for programs.
    pub code: ErrorCode,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// When another try makes sense, in milliseconds.
    #[serde(
        default,
        deserialize_with = "whole::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after_ms: Option<u64>,
}

impl ErrorBody {
    /// A refusal of this code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            // It may quote what was refused.
            message: cleaned(message.into()),
            retry_after_ms: None,
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
