//! The configuration of the connection to the other processes that share the database.

use super::broker_kind::{BrokerChoice, BrokerKind};
use super::config::WorkerConfig;
#[cfg(feature = "testing")]
use crate::broker::BrokerFaults;

impl WorkerConfig {
    /// Sets how the processes that share the database notify each other of their changes. [`BrokerKind`] has an example.
    #[must_use]
    pub fn broker(mut self, broker: BrokerKind) -> Self {
        self.broker = BrokerChoice::Kind(broker);
        self
    }

    /// Lets faults happen to the messages that this server receives from the other processes that share its database, as a
    /// broker does in the worst case. For tests of programs that run in several processes.
    ///
    /// ```
    /// use dooers::WorkerConfig;
    /// use dooers::testing::BrokerFaults;
    ///
    /// let faults = BrokerFaults::new().lost(20).doubled(20).reordered(20);
    /// let config = WorkerConfig::new().broker_faults(faults);
    /// ```
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn broker_faults(mut self, faults: BrokerFaults) -> Self {
        self.broker_faults = faults;
        self
    }
}
