//! The policy for the turns of an agent.

use crate::store::{DEFAULT_QUEUE, OnBusy};
use std::time::Duration;

/// The policy for the turns of an agent: the options `timeout`, `retry`, `on_busy` and `queue` of
/// [`#[dooers::agent]`](macro@crate::agent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnPolicy {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: u32,
    pub(crate) on_busy: OnBusy,
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

    /// Maximum duration of an attempt, without the time in which it waits for answers to the forms that it asks. `None` means no
    /// limit.
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
