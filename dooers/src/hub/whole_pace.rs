//! The pace of the whole texts that are sent to clients without pieces.

use std::time::Duration;
use tokio::time::Instant;

/// Minimum time between two whole texts of an event.
pub(super) const WHOLE_EVERY: Duration = Duration::from_millis(100);

/// Maximum number of bytes of whole texts per second.
const WHOLE_BYTES_PER_SECOND: f64 = 64.0 * 1024.0;

/// Limits how often the whole of one text is sent.
#[derive(Debug)]
pub(super) struct WholePace {
    /// The time at which the whole text may be sent again.
    from: Instant,
    /// True if a task waits for that time.
    is_awaited: bool,
}

impl Default for WholePace {
    fn default() -> Self {
        Self {
            from: Instant::now(),
            is_awaited: false,
        }
    }
}

impl WholePace {
    /// Checks that the whole text may be sent now. Otherwise the first caller gets the time at which to try again.
    pub(super) fn may_send(&mut self) -> Result<(), Option<Instant>> {
        if self.is_awaited {
            return Err(None);
        }
        if Instant::now() >= self.from {
            return Ok(());
        }
        self.is_awaited = true;
        Err(Some(self.from))
    }

    /// Records that the whole text is sent now, with its size in bytes.
    pub(super) fn sends(&mut self, bytes: usize) {
        let seconds = bytes as f64 / WHOLE_BYTES_PER_SECOND;
        self.from = Instant::now() + WHOLE_EVERY.max(Duration::from_secs_f64(seconds));
        self.is_awaited = false;
    }
}
