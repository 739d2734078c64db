//! The quotas of one identity.

use crate::throttle::Quota;
use serde::{Deserialize, Serialize};

/// The quotas of an identity that differ from the [`Quotas`](crate::Quotas) of the server. Those that are `None` are as the
/// server sets them.
///
/// A user's connections share what they have spent, also if their identities have different limits. Each connection is
/// checked by the limits of its own identity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IdentityLimits {
    /// Maximum number of messages per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_minute: Option<Quota>,
    /// The number of messages that may come at once. 0 counts as 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_burst: Option<u32>,
    /// Maximum number of frames per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<Quota>,
    /// The number of frames that may come at once. 0 counts as 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_burst: Option<u32>,
    /// Maximum number of bytes of frames per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_bytes_per_minute: Option<Quota>,
    /// The number of bytes of frames that may come at once, at most those of a minute. 0 counts as 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_byte_burst: Option<u32>,
    /// Maximum number of changes of settings per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings_patches_per_minute: Option<Quota>,
    /// Maximum number of changes of threads' titles per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_updates_per_minute: Option<Quota>,
    /// Maximum number of new threads per 24 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads_per_day: Option<Quota>,
    /// Maximum number of messages whose turns have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_turns: Option<Quota>,
    /// Maximum number of simultaneous connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Quota>,
    /// Maximum number of threads that one connection is subscribed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Quota>,
}

impl IdentityLimits {
    /// Returns true if all quotas are as the server sets them.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
