//! Dates in forms and settings.

use chrono::NaiveDate;

/// Parses a date in the format of RFC 3339: `2026-02-11`.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let has_shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    has_shape.then(|| text.parse().ok()).flatten()
}
