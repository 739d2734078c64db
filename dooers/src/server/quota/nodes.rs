//! Rates that a user spends on all nodes together.
//!
//! Each node announces what its users spend. The others take it from the accounts of the same users. A node learns about it
//! after the window of the broker, so a user who sends to several nodes at the same time can spend up to a burst on each of
//! them. The rest is a debt, which is earned before anything else is admitted.

use crate::broker::{AccountKey, Broker, News, SharedRate, SpentNotice};
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The number of notices that are remembered to ignore repeated ones. A node may repeat 10,000 news after the loss of its
/// connection.
const REMEMBERED: usize = 16_384;

/// The way to the accounts of the other nodes.
#[derive(Debug)]
pub(super) struct OtherNodes {
    broker: Arc<dyn Broker>,
    /// The id of the next notice. The first is random, so that the ids of different nodes differ.
    next_id: AtomicU64,
}

impl OtherNodes {
    pub(super) fn new(broker: Arc<dyn Broker>) -> Self {
        Self {
            broker,
            next_id: AtomicU64::new(RandomState::new().hash_one(0)),
        }
    }

    fn announce(&self, account: AccountKey, rate: SharedRate, time: Duration) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let notice = SpentNotice::new(account, rate, id, time);
        self.broker.publish(News::Spent(notice));
    }
}

/// An account as the other nodes know it.
#[derive(Debug)]
pub(super) struct SharedAccount {
    key: AccountKey,
    nodes: Arc<OtherNodes>,
}

impl SharedAccount {
    pub(super) fn new(key: AccountKey, nodes: &Arc<OtherNodes>) -> Self {
        Self {
            key,
            nodes: Arc::clone(nodes),
        }
    }

    /// Announces that a part of a rate was spent, which is earned in this time.
    pub(super) fn announce(&self, rate: SharedRate, time: Duration) {
        self.nodes.announce(self.key, rate, time);
    }
}

/// The ids of the last notices of other nodes.
#[derive(Debug, Default)]
pub(super) struct RecentNotices {
    known: HashSet<u64>,
    /// The oldest first.
    order: VecDeque<u64>,
}

impl RecentNotices {
    /// Remembers a notice. Returns `false` if it arrived before.
    pub(super) fn is_new(&mut self, id: u64) -> bool {
        if !self.known.insert(id) {
            return false;
        }
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_notices_are_known_for_a_while() {
        let mut recent = RecentNotices::default();
        let ids = 0..REMEMBERED as u64;
        assert!(ids.clone().all(|id| recent.is_new(id)));
        assert!(!ids.clone().any(|id| recent.is_new(id)));
        assert!(recent.is_new(u64::MAX));
        assert_eq!(recent.known.len(), REMEMBERED);
        assert!(recent.is_new(0), "the oldest was forgotten");
        assert!(!recent.is_new(2));
    }
}
