//! The places whose analytics have subscribers on other nodes.

use super::lock::lock;
use crate::broker::PlaceKey;
use crate::shrink::shrink;
use crate::store::Scope;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The interval at which a node announces its subscribers.
pub(crate) const ANNOUNCE_SUBSCRIBERS: Duration = Duration::from_secs(5);

/// The time for which an announcement holds. Two of three announcements may be lost.
const HOLDS: Duration = Duration::from_secs(16);

/// Maximum number of places. Further ones are ignored.
const MOST_PLACES: usize = 100_000;

/// The places whose analytics have subscribers on other nodes.
#[derive(Debug, Default)]
pub(super) struct SubscribersElsewhere {
    /// The number of places. It is read without the lock, so that analytics cost nothing without a subscriber.
    count: AtomicUsize,
    until: Mutex<HashMap<PlaceKey, Instant>>,
}

impl SubscribersElsewhere {
    /// Notes that another node has announced subscribers in these places.
    pub(super) fn note(&self, places: &[PlaceKey]) {
        let now = Instant::now();
        let mut until = lock(&self.until);
        for place in places {
            if until.len() < MOST_PLACES || until.contains_key(place) {
                until.insert(*place, now + HOLDS);
            }
        }
        self.count.store(until.len(), Ordering::Relaxed);
    }

    /// Returns `true` if no other node has subscribers.
    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Returns the place of the analytics of this scope, if another node has subscribers.
    pub(super) fn find(&self, scope: &Scope) -> Option<PlaceKey> {
        if self.is_empty() {
            return None;
        }
        let place = PlaceKey::of_analytics(scope);
        let now = Instant::now();
        let until = *lock(&self.until).get(&place)?;
        (until > now).then_some(place)
    }

    /// Forgets the places whose announcements were not repeated.
    pub(super) fn forget_expired(&self) {
        let now = Instant::now();
        let mut until = lock(&self.until);
        until.retain(|_, until| *until > now);
        shrink(&mut until);
        self.count.store(until.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn announcement_holds_until_it_is_not_repeated() {
        let elsewhere = SubscribersElsewhere::default();
        let (scope, other) = (Scope::new("a", "w"), Scope::new("a", "v"));
        let place = PlaceKey::of_analytics(&scope);
        assert_eq!(elsewhere.find(&scope), None);
        elsewhere.note(&[place]);
        for _ in 0..3 {
            tokio::time::advance(3 * ANNOUNCE_SUBSCRIBERS).await;
            assert_eq!(elsewhere.find(&scope), Some(place));
            elsewhere.note(&[place]);
        }
        assert_eq!(elsewhere.find(&other), None);
        tokio::time::advance(HOLDS).await;
        assert_eq!(elsewhere.find(&scope), None);
        assert!(!elsewhere.is_empty());
        elsewhere.forget_expired();
        assert!(elsewhere.is_empty());
    }
}
