//! The clock of a list, which never goes back.

use super::Scope;
use crate::protocol::timestamp;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The clock of one scope: the newest time in its lists of threads and runs.
///
/// The machine's clock may be set back, and the clocks of two processes may differ. Nevertheless, each thread that gets
/// an event moves to the front of its list, and each new run is the newest run. While the machine's clock is behind the
/// list's clock, the list's clock advances by one microsecond for each thread and each run.
///
/// Clones share the clock.
#[derive(Debug, Clone)]
pub(crate) struct ListClock(Arc<AtomicI64>);

impl Default for ListClock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MIN)))
    }
}

/// Compares by identity: both must be the same clock.
impl PartialEq for ListClock {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl ListClock {
    /// Returns the `last_event_at` of a thread that gets an event at this time, and advances the clock to it.
    ///
    /// A time that equals the newest one is returned unchanged.
    pub(crate) fn front(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let front = self.next(at);
        self.note(front.timestamp_micros());
        front
    }

    /// Returns the `started_at` of a new run that starts at this time. The caller [notes](Self::note) it once the run
    /// is stored.
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

    /// Advances the clock to a time that is in the list, in microseconds since 1970.
    ///
    /// The caller holds the lock of its store, or is the only writer.
    pub(crate) fn note(&self, micros: i64) {
        self.0.fetch_max(micros, Ordering::Relaxed);
    }

    /// Returns the newest time, in microseconds since 1970.
    pub(crate) fn newest(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Resets the clock to the time before a batch, because operations of the batch are repeated.
    #[cfg(feature = "postgres")]
    pub(crate) fn rewind(&self, micros: i64) {
        self.0.store(micros, Ordering::Relaxed);
    }

    /// Returns `true` if anything else holds this clock.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// The clocks of lists, by scope.
#[derive(Debug, Default)]
pub(crate) struct ListClocks(HashMap<Scope, ListClock>);

impl ListClocks {
    /// Returns the clock of a scope, regardless of its viewer.
    pub(crate) fn of(&mut self, scope: &Scope) -> ListClock {
        self.0.entry(scope.of_everyone()).or_default().clone()
    }

    /// Returns all clocks, with their newest times.
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
