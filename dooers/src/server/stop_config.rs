//! The times that a stop takes, in the configuration.

use super::config::WorkerConfig;
use std::time::Duration;

impl WorkerConfig {
    /// Sets how long running turns may continue when the server stops. The stop takes at most 3 s longer.
    #[must_use]
    pub fn drain_timeout(mut self, at_most: Duration) -> Self {
        self.drain_timeout = at_most;
        self
    }

    /// Sets how long a server that is asked to stop still accepts clients. None by default.
    ///
    /// During this time, `GET /readyz` answers 503, so that a load balancer sends no more clients to the process, and
    /// everything else continues. Then the server stops as usual, within the [`drain_timeout`](Self::drain_timeout). Set it to
    /// more than the time after which the load balancer has noticed the 503.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    /// use std::time::Duration;
    ///
    /// // The load balancer asks every 2 s, and ignores a process after the second failure.
    /// let config = WorkerConfig::new().drain_delay(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.drain_delay = delay;
        self
    }

    /// The time from the request to stop until turns are interrupted.
    pub(super) fn longest_drain(&self) -> Duration {
        self.drain_delay.saturating_add(self.drain_timeout)
    }
}
