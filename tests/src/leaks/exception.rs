//! The places in which a planted text may occur.

use super::Channel;

/// A place in which a planted text may occur. A check fails if it does not occur there.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    /// The name of the text.
    pub secret: &'static str,
    /// The channel.
    pub channel: Channel,
    /// A text that is in the same item of the channel.
    pub within: &'static str,
    /// The rule that permits it.
    pub reason: &'static str,
}
