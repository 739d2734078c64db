//! Times and durations in PostgreSQL's representation.

use chrono::{DateTime, Utc};
use std::time::Duration;

/// Maximum length of a lease: a hundred years.
const LONGEST_LEASE: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Returns a lease in microseconds.
pub(super) fn lease_micros(lease: Duration) -> i64 {
    // A hundred years are a few 10^15 microseconds.
    i64::try_from(lease.min(LONGEST_LEASE).as_micros()).unwrap_or(i64::MAX)
}

/// Converts microseconds since 1970 into a time. Times before the database's first or after chrono's last time are
/// limited to these.
pub(super) fn place_in_time(micros: i64) -> DateTime<Utc> {
    let first = DateTime::from_timestamp(-200_000_000_000, 0).unwrap_or_default();
    match DateTime::from_timestamp_micros(micros) {
        Some(at) => at.max(first),
        None if micros < 0 => first,
        None => DateTime::<Utc>::MAX_UTC,
    }
}
