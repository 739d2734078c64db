//! Times and durations as PostgreSQL keeps them.

use chrono::{DateTime, Utc};
use std::time::Duration;

/// No lease is longer: a hundred years.
const LONGEST_LEASE: Duration = Duration::from_secs(100 * 366 * 86_400);

/// A lease in microseconds.
pub(super) fn lease_micros(lease: Duration) -> i64 {
    // A hundred years are a few 10^15 microseconds.
    i64::try_from(lease.min(LONGEST_LEASE).as_micros()).unwrap_or(i64::MAX)
}

/// The time of a cursor; none is later than any. The database knows no time before its own first one.
pub(super) fn place_in_time(at: Option<DateTime<Utc>>) -> DateTime<Utc> {
    let first = DateTime::from_timestamp(-200_000_000_000, 0).unwrap_or_default();
    at.unwrap_or(DateTime::<Utc>::MAX_UTC).max(first)
}
