//! States by key, with bounded memory.

use crate::shrink::shrink;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;
use tokio::time::Instant;

/// The interval at which unused states are dropped, as long as new keys arrive.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The number of states from which a growing map is swept before that.
const FEW: usize = 1_024;

/// Maximum number of states. Above that, those that would be unused first are dropped.
const MOST: usize = 100_000;

/// The state of a key.
pub(crate) trait Keep {
    /// The time from which the state is like that of a new key. `None` while somebody holds it.
    fn unused_from(&self) -> Option<Instant>;
}

/// States by key. States that are like new are dropped, so that a key of the past costs nothing.
#[derive(Debug)]
pub(crate) struct Keyed<K, V> {
    states: HashMap<K, V>,
    swept_at: Option<Instant>,
    /// The number of states at which the map is swept before the time.
    sweep_at: usize,
    most: usize,
}

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Self {
        Self {
            states: HashMap::new(),
            swept_at: None,
            sweep_at: FEW,
            most: MOST,
        }
    }
}

impl<K: Eq + Hash + Clone, V: Keep> Keyed<K, V> {
    /// The state of a key, which is a new one if there is none.
    pub(crate) fn state(&mut self, key: K, now: Instant) -> &mut V
    where
        V: Default,
    {
        self.state_or_else(key, now, V::default)
    }

    /// The state of a key, which is made if there is none.
    pub(crate) fn state_or_else(
        &mut self,
        key: K,
        now: Instant,
        make: impl FnOnce() -> V,
    ) -> &mut V {
        if !self.states.contains_key(&key) {
            self.make_room(now);
        }
        self.states.entry(key).or_insert_with(make)
    }

    /// Drops unused states, if it is time or there are many. Each sweep is paid by the keys that were added since the last.
    fn make_room(&mut self, now: Instant) {
        let swept_at = *self.swept_at.get_or_insert(now);
        let is_due = now.saturating_duration_since(swept_at) >= SWEEP_EVERY;
        if !is_due && self.states.len() < self.sweep_at {
            return;
        }
        self.swept_at = Some(now);
        let is_used = |state: &V| state.unused_from().is_none_or(|from| from > now);
        self.states.retain(|_, state| is_used(state));
        if self.states.len() >= self.most {
            self.evict();
        }
        shrink(&mut self.states);
        self.sweep_at = (2 * self.states.len()).clamp(FEW.min(self.most), self.most);
    }

    /// Drops half of the states that nobody holds: those that would be unused first.
    fn evict(&mut self) {
        let mut idle: Vec<_> = self
            .states
            .iter()
            .filter_map(|(key, state)| Some((state.unused_from()?, key.clone())))
            .collect();
        let half = idle.len() / 2;
        if half > 0 {
            idle.select_nth_unstable_by_key(half, |(from, _)| *from);
        }
        for (_, key) in idle.into_iter().take(half.max(1)) {
            self.states.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::{Bucket, Rate};

    const RATE: Rate = Rate::per_minute(60);

    fn spend(keyed: &mut Keyed<u32, Bucket>, key: u32, units: u32, now: Instant) {
        keyed.state(key, now).take(&RATE, units, now);
    }

    #[test]
    fn unused_states_are_dropped() {
        let (mut keyed, start) = (Keyed::default(), Instant::now());
        for key in 0..500 {
            spend(&mut keyed, key, 1, start);
        }
        spend(&mut keyed, 0, 100, start);
        assert_eq!(keyed.states.len(), 500);
        let later = start + SWEEP_EVERY;
        spend(&mut keyed, 1_000, 1, later);
        // The state of key 0 still has a debt.
        let mut kept: Vec<_> = keyed.states.keys().copied().collect();
        kept.sort_unstable();
        assert_eq!(kept, [0, 1_000]);
        let wait = keyed.state(0, later).wait(&RATE, 1, later);
        assert_eq!(wait, Duration::ZERO, "40 units are left");
        assert!(keyed.states.capacity() < 500);
    }

    #[test]
    fn number_of_states_is_bounded() {
        let mut keyed = Keyed {
            most: 2_000,
            ..Keyed::default()
        };
        let now = Instant::now();
        for key in 0..10_000 {
            // Later keys are used for longer.
            spend(&mut keyed, key, 1 + key, now);
            assert!(keyed.states.len() <= 2_000);
        }
        assert!(keyed.states.contains_key(&9_999));
        assert!(!keyed.states.contains_key(&0));
    }
}
