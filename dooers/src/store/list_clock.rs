//! The clock of a list, which never goes back.

use super::Scope;
use crate::protocol::timestamp;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The clock of one scope: the newest time in its lists of threads and of runs.
///
/// The machine's clock may be set back, and the clocks of two processes may differ. Each thread that gets an event moves
/// to the front of its list all the same, and each run that begins is the last that began. While the machine's clock is
/// behind, a list's clock moves by one microsecond for each thread and each run.
///
/// Clones share the clock.
#[derive(Debug, Clone)]
pub(crate) struct ListClock(Arc<AtomicI64>);

impl Default for ListClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MIN)))
    }
}

/// Whether both are the same clock.
impl PartialEq for ListClock {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl ListClock {
    /// The `last_event_at` of a thread that gets an event at this time.
    ///
    /// Equal times are left equal.
    pub(crate) fn front(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let front = self.next(at);
        self.note(front.timestamp_micros());
        front
    }

    /// The `started_at` of a run that begins at this time, if it is new. Note it then.
    pub(crate) fn start(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.next(at)
    }

    fn next(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let newest = self.newest();
        let last = DateTime::<Utc>::MAX_UTC.timestamp_micros();
        timestamp::from_micros(match at.timestamp_micros() {
            at if at >= newest => at,
            _ => newest.saturating_add(1).min(last),
        })
    }

    /// Takes a time into account that is in the list, in microseconds since 1970.
    ///
    /// Whoever gives out times holds the lock of a store, or is its only writer.
    pub(crate) fn note(&self, micros: i64) {
        self.0.fetch_max(micros, Ordering::Relaxed);
    }

    /// The newest time, in microseconds since 1970.
    pub(crate) fn newest(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the clock back to what it was before a batch, of which something is done again.
    #[cfg(feature = "postgres")]
    pub(crate) fn rewind(&self, micros: i64) {
        self.0.store(micros, Ordering::Relaxed);
    }

    /// Whether anything else holds this clock.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// The clocks of lists, by their scopes.
#[derive(Debug, Default)]
pub(crate) struct ListClocks(HashMap<Scope, ListClock>);

impl ListClocks {
    /// The clock of a scope, regardless of its viewer.
    pub(crate) fn of(&mut self, scope: &Scope) -> ListClock {
        self.0.entry(scope.of_everyone()).or_default().clone()
    }

    /// All clocks, with their newest times.
    #[cfg(feature = "postgres")]
    pub(crate) fn times(&self) -> Vec<(ListClock, i64)> {
        let clocks = self.0.values();
        clocks
            .map(|clock| (clock.clone(), clock.newest()))
            .collect()
    }

    /// Sets the clock of a scope.
    #[cfg(feature = "postgres")]
    pub(crate) fn insert(&mut self, scope: Scope, clock: ListClock) {
        self.0.insert(scope, clock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> DateTime<Utc> {
        timestamp::from_micros(micros)
    }

    #[test]
    fn front_never_goes_back() {
        let clock = ListClock::default();
        assert_eq!(clock.front(at(100)), at(100));
        assert_eq!(clock.front(at(100)), at(100));
        assert_eq!(clock.front(at(40)), at(101));
        assert_eq!(clock.front(at(41)), at(102));
        assert_eq!(clock.front(at(103)), at(103));
        clock.note(500);
        assert_eq!(clock.clone().front(at(104)), at(501));
        assert_eq!(clock.start(at(104)), at(502));
        assert_eq!(clock.start(at(600)), at(600));
        assert_eq!(clock.front(at(599)), at(599));
    }

    #[test]
    fn front_stays_at_the_last_time() {
        let clock = ListClock::default();
        let last = timestamp::from_micros(DateTime::<Utc>::MAX_UTC.timestamp_micros());
        assert_eq!(clock.front(last), last);
        assert_eq!(clock.front(at(0)), last);
        clock.note(i64::MAX);
        assert_eq!(clock.front(at(0)), last);
    }
}
