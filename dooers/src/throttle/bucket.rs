//! Token buckets.

use super::Keep;
use super::rate::Rate;
use std::time::Duration;
use tokio::time::Instant;

/// The state of a token bucket, by the generic cell rate algorithm: the time at which the bucket is full again.
///
/// The rate is not a part of the state. An identity may get another rate at any time, and keeps what it has spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// Returns the time after which this many units are admitted, if nothing is taken in the meantime. Zero if they are
    /// admitted now. More units than the burst are admitted when the bucket is full.
    pub(crate) fn wait(&self, rate: &Rate, units: u32, now: Instant) -> Duration {
        let burst = rate.time_of_burst();
        let needed = self.lead(now) + rate.time_of(units).min(burst);
        needed.saturating_sub(burst)
    }

    /// Takes this many units, whether or not they are there. What is missing is earned before anything else is admitted.
    pub(crate) fn take(&mut self, rate: &Rate, units: u32, now: Instant) {
        self.take_time(rate.time_of(units), now);
    }

    /// Takes what is earned in this time, whether or not it is there.
    pub(crate) fn take_time(&mut self, time: Duration, now: Instant) {
        let lead = self.lead(now).saturating_add(time);
        if let Some(full_at) = now.checked_add(lead) {
            self.full_at = Some(full_at);
        }
    }

    /// The time until the bucket is full.
    fn lead(&self, now: Instant) -> Duration {
        let full_at = self.full_at.unwrap_or(now);
        full_at.saturating_duration_since(now)
    }
}

impl Keep for Bucket {
    fn unused_from(&self) -> Option<Instant> {
        // A bucket that was never used is not worth keeping.
        Some(self.full_at.unwrap_or_else(Instant::now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn burst_is_admitted_and_then_the_rate() {
        let rate = Rate::per_minute(60).burst(20);
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        for _ in 0..20 {
            assert_eq!(bucket.wait(&rate, 1, start), Duration::ZERO);
            bucket.take(&rate, 1, start);
        }
        let wait = bucket.wait(&rate, 1, start);
        assert_eq!(wait, Duration::from_secs(1));
        let almost = start + wait - Duration::from_nanos(1);
        assert_eq!(bucket.wait(&rate, 1, almost), Duration::from_nanos(1));
        assert_eq!(bucket.wait(&rate, 1, start + wait), Duration::ZERO);
        // The bucket is full again after the time of a burst, and holds no more.
        let later = start + Duration::from_secs(3600);
        assert_eq!(bucket.wait(&rate, 20, later), Duration::ZERO);
        bucket.take(&rate, 20, later);
        assert_eq!(bucket.wait(&rate, 1, later), Duration::from_secs(1));
    }

    #[test]
    fn more_than_a_burst_is_admitted_when_full() {
        let rate = Rate::per_second(10);
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        assert_eq!(bucket.wait(&rate, 30, now), Duration::ZERO);
        bucket.take(&rate, 30, now);
        // The debt is paid first.
        assert_eq!(bucket.wait(&rate, 1, now), Duration::from_millis(2_100));
        assert_eq!(bucket.wait(&rate, 30, now), Duration::from_secs(3));
    }

    #[test]
    fn extreme_rates_do_not_overflow() {
        let now = Instant::now();
        for rate in [Rate::per_day(1), Rate::per_second(u32::MAX)] {
            let rate = rate.burst(u32::MAX);
            let mut bucket = Bucket::default();
            for _ in 0..3 {
                bucket.take(&rate, u32::MAX, now);
                let _ = bucket.wait(&rate, u32::MAX, now);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// In every window of time, at most the burst and what is earned in the window is admitted. A wait is exact: a
        /// nanosecond before its end nothing is admitted.
        #[test]
        fn windows_hold_the_rate(
            count in 1_u32..500,
            burst in 1_u32..50,
            steps in prop::collection::vec((0_u64..400, 1_u32..4), 1..120),
        ) {
            let rate = Rate::per_second(count).burst(burst);
            let start = Instant::now();
            let (mut bucket, mut now) = (Bucket::default(), start);
            let mut admitted: Vec<(Instant, u32)> = Vec::new();
            for (millis, units) in steps {
                let units = units.min(burst);
                now += Duration::from_millis(millis / 8);
                let wait = bucket.wait(&rate, units, now);
                if wait > Duration::ZERO {
                    let early = wait - Duration::from_nanos(1);
                    prop_assert_eq!(bucket.wait(&rate, units, now + early), Duration::from_nanos(1));
                    now += wait;
                    prop_assert_eq!(bucket.wait(&rate, units, now), Duration::ZERO);
                }
                bucket.take(&rate, units, now);
                admitted.push((now, units));
                let mut sum = 0;
                for (at, units) in admitted.iter().rev() {
                    sum += units;
                    let earned = now.duration_since(*at).as_secs_f64() * f64::from(count);
                    prop_assert!(f64::from(sum) <= f64::from(burst) + earned + 0.01);
                }
            }
        }
    }
}
