//! The wait before another attempt to reach a server.

use chrono::{DateTime, Utc};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The waits of failed attempts. Each wait is twice as long as the one before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackOff {
    /// The wait after the first attempt.
    pub(crate) first: Duration,
    /// The longest wait, unless the server asks for a longer one.
    pub(crate) longest: Duration,
    /// The longest wait that the server may ask for.
    pub(crate) longest_asked: Duration,
}

impl BackOff {
    /// Returns the wait after this attempt, counted from 1. `asked` is the wait that the server asks for.
    ///
    /// The wait is between half and all of the full wait, at random, so that several processes do not try at the same
    /// time.
    pub(crate) fn wait(self, attempt: u32, asked: Option<Duration>) -> Duration {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let full = self.first.saturating_mul(doubled).min(self.longest);
        let wait = full / 2 + full.mul_f64(random() / 2.0);
        wait.max(asked.unwrap_or_default()).min(self.longest_asked)
    }
}

/// Returns a random number from 0 to 1. The keys of `RandomState` are random.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(());
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

/// Reads the header `Retry-After`: a number of seconds, or a time.
pub(crate) fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large is a very long wait.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(value).ok()?;
    Some((at.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACK_OFF: BackOff = BackOff {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(300),
        longest_asked: Duration::from_secs(3600),
    };

    #[test]
    fn wait_doubles_up_to_the_longest() {
        for (attempt, full) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (5, 16),
            (9, 256),
            (10, 300),
            (u32::MAX, 300),
        ] {
            let wait = BACK_OFF.wait(attempt, None).as_secs_f64();
            let full = f64::from(full);
            assert!((full / 2.0..=full).contains(&wait), "{attempt}: {wait}");
        }
    }

    #[test]
    fn hour_without_a_server_takes_few_attempts() {
        let (mut waited, mut attempts) = (Duration::ZERO, 0);
        while waited < Duration::from_secs(3600) {
            attempts += 1;
            waited += BACK_OFF.wait(attempts, None);
        }
        assert!((19..=34).contains(&attempts), "{attempts}");
    }

    #[test]
    fn waits_of_two_processes_differ() {
        let waits: Vec<_> = (0..8).map(|_| BACK_OFF.wait(10, None)).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }

    #[test]
    fn server_can_ask_for_a_longer_wait() {
        let asked = |seconds| BACK_OFF.wait(1, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(20), Duration::from_secs(20));
        assert!(asked(0) >= Duration::from_millis(500));
        assert_eq!(asked(u64::MAX), BACK_OFF.longest_asked);
    }

    #[test]
    fn retry_after_is_seconds_or_a_time() {
        let now = DateTime::parse_from_rfc3339("2026-02-11T05:00:00Z")
            .unwrap()
            .to_utc();
        let read = |value: &str| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(read(" 120 "), Some(120));
        assert_eq!(read(&"9".repeat(30)), Some(u64::MAX));
        assert_eq!(read("Wed, 11 Feb 2026 05:01:30 GMT"), Some(90));
        assert_eq!(read("Wed, 11 Feb 2026 04:00:00 GMT"), Some(0));
        for value in ["", "-1", "+1", "1.5", "soon"] {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
