//! The treatment of messages that arrive while a turn is running.

/// Default number of messages that can be queued in a thread.
pub const DEFAULT_QUEUE: u32 = 32;

/// The treatment of a message that arrives while another turn of its thread is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBusy {
    /// The message is queued. If the queue is full, the message is refused as `OVERLOADED`.
    Queue {
        /// Maximum number of queued messages in a thread.
        limit: u32,
    },
    /// The message is refused as `CONFLICT`.
    Reject,
    /// The running turn is cancelled and queued turns are withdrawn, before the turn of the message starts.
    Interrupt,
    /// The turn of the message starts at once and runs concurrently with the others.
    Concurrent,
}

impl Default for OnBusy {
    fn default() -> Self {
        Self::Queue {
            limit: DEFAULT_QUEUE,
        }
    }
}
