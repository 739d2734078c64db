//! Faults of the messages between nodes, for tests.

use std::collections::VecDeque;

/// The shares of the messages from other nodes to which faults happen, in percent. Without settings, no faults happen.
///
/// Nodes are the processes that share a database. The messages between them may be lost, repeated and reordered, and a server
/// must still deliver every change. See [`WorkerConfig::broker_faults`](crate::WorkerConfig::broker_faults).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrokerFaults {
    lost: u8,
    doubled: u8,
    reordered: u8,
}

impl BrokerFaults {
    /// No faults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lost: 0,
            doubled: 0,
            reordered: 0,
        }
    }

    /// Sets the percentage of messages that are lost. 100 loses every message.
    #[must_use]
    pub const fn lost(mut self, percent: u8) -> Self {
        self.lost = percent;
        self
    }

    /// Sets the percentage of messages that arrive a second time, after the messages that were overtaken.
    #[must_use]
    pub const fn doubled(mut self, percent: u8) -> Self {
        self.doubled = percent;
        self
    }

    /// Sets the percentage of messages that the next message overtakes.
    #[must_use]
    pub const fn reordered(mut self, percent: u8) -> Self {
        self.reordered = percent;
        self
    }
}

/// Messages to which faults happen on their way.
#[derive(Debug)]
pub(super) struct FaultyMessages<T> {
    faults: BrokerFaults,
    /// Messages that are delivered after the next one.
    held: Vec<T>,
    ready: VecDeque<T>,
    random: u64,
    faulty: usize,
}

impl<T: Clone> FaultyMessages<T> {
    pub(super) const fn new(faults: BrokerFaults) -> Self {
        Self {
            faults,
            held: Vec::new(),
            ready: VecDeque::new(),
            random: 0,
            faulty: 0,
        }
    }

    /// Adds a message. It may be ready not at all, twice, or after the next one.
    pub(super) fn send(&mut self, message: T) {
        if self.happens(self.faults.lost) {
            return;
        }
        if self.happens(self.faults.reordered) {
            self.held.push(message);
            return;
        }
        let copy = self.happens(self.faults.doubled).then(|| message.clone());
        self.ready.push_back(message);
        self.ready.extend(self.held.drain(..));
        self.ready.extend(copy);
    }

    /// Takes the next message that is ready.
    pub(super) fn receive(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// The number of faults that have happened.
    #[cfg(test)]
    pub(super) fn faulty(&self) -> usize {
        self.faulty
    }

    fn happens(&mut self, percent: u8) -> bool {
        // The multiplier and increment of Knuth's generator.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let happens = (self.random >> 33) % 100 < u64::from(percent);
        self.faulty += usize::from(happens);
        happens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(faults: BrokerFaults) -> (Vec<u32>, usize) {
        let mut messages = FaultyMessages::new(faults);
        let mut received = Vec::new();
        for message in 0..1_000 {
            messages.send(message);
            received.extend(std::iter::from_fn(|| messages.receive()));
        }
        (received, messages.faulty())
    }

    #[test]
    fn each_fault_happens_to_its_share_of_messages() {
        let all: Vec<_> = (0..1_000).collect();
        assert_eq!(received(BrokerFaults::new()), (all.clone(), 0));
        assert_eq!(received(BrokerFaults::new().lost(100)), (Vec::new(), 1_000));
        let (lost, faulty) = received(BrokerFaults::new().lost(20));
        assert_eq!(lost.len(), 1_000 - faulty);
        assert!((150..250).contains(&faulty), "{faulty}");
        let (doubled, faulty) = received(BrokerFaults::new().doubled(20));
        assert_eq!(doubled.len(), 1_000 + faulty);
        assert!((150..250).contains(&faulty), "{faulty}");
        let (reordered, _) = received(BrokerFaults::new().reordered(20));
        assert!(!reordered.is_sorted());
        let mut sorted = reordered.clone();
        sorted.sort_unstable();
        // The last messages may still be held.
        assert_eq!(sorted, all[..reordered.len()]);
        assert!(reordered.len() > 990);
    }
}
