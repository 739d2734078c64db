//! How the turns of an agent are run.

use std::time::Duration;

/// How many messages of a thread may wait for their turn, unless an agent says otherwise.
pub const DEFAULT_QUEUE: u32 = 32;

/// How the turns of an agent are run: the options `timeout`, `retry`, `on_busy` and `queue` of
/// [`#[dooers::agent]`](macro@crate::agent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnPolicy {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: u32,
    pub(crate) on_busy: OnBusy,
}

/// What becomes of a message that comes while its thread is being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnBusy {
    /// It waits for its turn. When so many wait, another one is refused as `OVERLOADED`.
    Queue {
        /// How many may wait.
        limit: u32,
    },
    /// It is refused as `CONFLICT`.
    Reject,
    /// The turn that runs is cancelled, and those that wait are withdrawn, before its own begins.
    Interrupt,
    /// It is answered at once, side by side with the others.
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
    /// No limit of time, no second attempt, and a queue of [`DEFAULT_QUEUE`].
    pub(crate) const DEFAULT: Self = Self {
        timeout: None,
        retries: 0,
        on_busy: OnBusy::Queue {
            limit: DEFAULT_QUEUE,
        },
    };

    /// How long an attempt may take.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// How many more attempts there are after the first.
    #[must_use]
    pub const fn retries(&self) -> u32 {
        self.retries
    }

    /// What becomes of a message that comes while its thread is being answered.
    #[must_use]
    pub const fn on_busy(&self) -> OnBusy {
        self.on_busy
    }
}
