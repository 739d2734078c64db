//! The lease of a process, in the configuration.

use super::config::WorkerConfig;
use std::time::Duration;

/// The number of times that a lease is renewed during its duration.
const RENEWALS: u32 = 3;

impl WorkerConfig {
    /// Sets for how long a process keeps its turns without renewing their leases. After that, another process takes the
    /// turns over. A process renews its leases three times in this time.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The time between two renewals of the leases of a process.
    pub(super) fn renewal_pause(&self) -> Duration {
        self.lease / RENEWALS
    }
}
