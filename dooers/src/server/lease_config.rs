//! The lease of a process, in the configuration.

use super::config::WorkerConfig;
use std::time::Duration;

/// The number of times that a lease is renewed during its duration.
const RENEWALS: u32 = 3;

/// The longest time between two searches for turns of dead processes.
const SEARCH: Duration = Duration::from_millis(500);

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

    /// The time between two searches for turns of dead processes, if other processes may share the database.
    pub(super) fn search_pause(&self) -> Duration {
        self.renewal_pause().min(SEARCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_processes_are_found_soon() {
        let search = |lease| {
            let config = WorkerConfig::new().lease(Duration::from_millis(lease));
            config.search_pause()
        };
        assert_eq!(search(30_000), Duration::from_millis(500));
        assert_eq!(search(900), Duration::from_millis(300));
    }
}
