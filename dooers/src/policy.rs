//! The policy for the turns of an agent.

use std::time::Duration;

/// Default number of messages that can be queued in a thread.
pub const DEFAULT_QUEUE: u32 = 32;

/// The policy for the turns of an agent: the options `timeout`, `retry`, `on_busy` and `queue` of
/// [`#[dooers::agent]`](macro@crate::agent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnPolicy {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: u32,
    pub(crate) on_busy: OnBusy,
}

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

impl TurnPolicy {
    /// No time limit, no retries, and a queue of [`DEFAULT_QUEUE`].
    pub(crate) const DEFAULT: Self = Self {
        timeout: None,
        retries: 0,
        on_busy: OnBusy::Queue {
            limit: DEFAULT_QUEUE,
        },
    };

    /// Maximum duration of an attempt. `None` means no limit.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Maximum number of retries after the first attempt.
    #[must_use]
    pub const fn retries(&self) -> u32 {
        self.retries
    }

    /// The treatment of messages that arrive while another turn of their thread is running.
    #[must_use]
    pub const fn on_busy(&self) -> OnBusy {
        self.on_busy
    }
}
