//! Rates.

use std::time::Duration;

/// A number of units in a period, of which a part may come at once.
///
/// ```
/// use dooers::Rate;
///
/// // Five searches at once, and one more every six seconds.
/// let searches = Rate::per_minute(10).burst(5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period: Duration,
    burst: u32,
}

impl Rate {
    /// Creates a rate for a period. The whole number may come at once. A number of 0 counts as 1.
    const fn per(count: u32, seconds: u64) -> Self {
        let count = if count == 0 { 1 } else { count };
        Self {
            count,
            period: Duration::from_secs(seconds),
            burst: count,
        }
    }

    /// Creates a rate of this many units per second, which may all come at once. 0 counts as 1.
    #[must_use]
    pub const fn per_second(count: u32) -> Self {
        Self::per(count, 1)
    }

    /// Creates a rate of this many units per minute, which may all come at once. 0 counts as 1.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self::per(count, 60)
    }

    /// Creates a rate of this many units per hour, which may all come at once. 0 counts as 1.
    #[must_use]
    pub const fn per_hour(count: u32) -> Self {
        Self::per(count, 3_600)
    }

    /// Creates a rate of this many units per 24 hours, which may all come at once. 0 counts as 1.
    #[must_use]
    pub const fn per_day(count: u32) -> Self {
        Self::per(count, 86_400)
    }

    /// Sets the number of units that may come at once. 0 counts as 1.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = if burst == 0 { 1 } else { burst };
        self
    }

    /// The time in which this many units are earned. It is rounded down, so that a whole burst is always admitted.
    pub(crate) fn time_of(&self, units: u32) -> Duration {
        let one = self.period.as_nanos() / u128::from(self.count);
        // A period is at most a day, so the product fits.
        duration(one.max(1) * u128::from(units))
    }

    /// The time in which a whole burst is earned.
    pub(super) fn time_of_burst(&self) -> Duration {
        self.time_of(self.burst)
    }
}

fn duration(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanos / SECOND).unwrap_or(u64::MAX);
    // A remainder of a second fits.
    Duration::new(seconds, u32::try_from(nanos % SECOND).unwrap_or_default())
}
