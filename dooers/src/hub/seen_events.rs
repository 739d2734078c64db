//! The events of other nodes that were received lately.

use std::collections::{HashSet, VecDeque};

/// The number of events that are remembered. A node may repeat 10,000 news after the loss of its connection.
const REMEMBERED: usize = 16_384;

/// The ids of the events of other nodes that were received lately, because a broker may repeat messages.
#[derive(Debug, Default)]
pub(super) struct SeenEvents {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
}

impl SeenEvents {
    /// Returns `false` if the event was received before.
    pub(super) fn is_new(&mut self, id: u64) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_event_is_found_for_a_while() {
        let mut seen = SeenEvents::default();
        let most = REMEMBERED as u64;
        assert!((0..=most).all(|id| seen.is_new(id)));
        assert!((1..=most).all(|id| !seen.is_new(id)));
        assert!(seen.is_new(0));
        assert_eq!((seen.ids.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
    }
}
