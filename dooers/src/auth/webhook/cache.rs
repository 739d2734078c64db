//! Decisions that are kept for a time.

use super::asker::Decision;
use crate::auth::token_hash::TokenHash;
use crate::auth::{Identity, Refusal};
use std::collections::HashMap;
use tokio::time::Instant;

/// The key of a decision. It contains the hash of the token instead of the token, so that no token stays in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) token: TokenHash,
    pub(super) agent: String,
    pub(super) worker_id: String,
}

/// Decisions that are kept for a time, and up to a number.
#[derive(Debug)]
pub(super) struct Cache {
    max_entries: usize,
    entries: HashMap<Key, Kept>,
}

#[derive(Debug)]
struct Kept {
    outcome: Result<Identity, Refusal>,
    until: Instant,
}

impl Cache {
    pub(super) fn new(max_entries: usize) -> Self {
        Self {
            max_entries,
            entries: HashMap::new(),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Result<Identity, Refusal>> {
        let kept = self.entries.get(key)?;
        (Instant::now() < kept.until).then(|| kept.outcome.clone())
    }

    /// Keeps a decision for its time. If there are too many, the one that ends first is dropped. Those are refusals
    /// mostly, so an attack with many tokens leaves the identities of users.
    pub(super) fn keep(&mut self, key: Key, decision: &Decision) {
        let now = Instant::now();
        if decision.keep.is_zero() || self.max_entries == 0 {
            self.entries.remove(&key);
            return;
        }
        if self.entries.len() >= self.max_entries && !self.entries.contains_key(&key) {
            self.entries.retain(|_, kept| now < kept.until);
        }
        if self.entries.len() >= self.max_entries && !self.entries.contains_key(&key) {
            let first = self.entries.iter().min_by_key(|(_, kept)| kept.until);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                self.entries.remove(&first);
            }
        }
        let kept = Kept {
            outcome: decision.outcome.clone(),
            until: now + decision.keep,
        };
        self.entries.insert(key, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::advance;

    fn key(token: &str) -> Key {
        Key {
            token: TokenHash::of(token),
            agent: String::new(),
            worker_id: String::new(),
        }
    }

    fn keep(cache: &mut Cache, token: &str, seconds: u64) {
        let decision = Decision {
            outcome: Ok(Identity::new(token)),
            keep: Duration::from_secs(seconds),
        };
        cache.keep(key(token), &decision);
    }

    #[tokio::test(start_paused = true)]
    async fn decision_is_dropped_by_time_and_number() {
        let mut cache = Cache::new(2);
        keep(&mut cache, "a", 10);
        keep(&mut cache, "b", 5);
        assert_eq!(cache.get(&key("a")), Some(Ok(Identity::new("a"))));
        // The third one replaces the one that ends first.
        keep(&mut cache, "c", 20);
        let has = |cache: &Cache, token: &str| cache.get(&key(token)).is_some();
        let all = |cache: &Cache| ["a", "b", "c"].map(|token| has(cache, token));
        assert_eq!(all(&cache), [true, false, true]);
        advance(Duration::from_secs(10)).await;
        assert_eq!(all(&cache), [false, false, true]);
        // An answer that must not be kept replaces an earlier one.
        keep(&mut cache, "c", 0);
        assert_eq!(all(&cache), [false; 3]);
    }
}
