//! Detecting clients that read too slowly.

use super::write_counter::AcceptedBytes;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The lowest rate at which a client may read, in bytes per second.
const SLOWEST: u64 = 1024;

/// The number of times that the progress is checked per stall time.
const LOOKS: u32 = 8;

/// Detects that a client does not take the bytes that are written to it.
///
/// A client may take nothing for the stall time. Each KiB that it takes extends this by one second, up to the stall
/// time. A client that takes 1 KiB/s on average is therefore never too slow, however large a frame is.
#[derive(Debug)]
pub(super) struct Pace {
    taken: AcceptedBytes,
    stall_timeout: Duration,
}

impl Pace {
    pub(super) fn new(taken: AcceptedBytes, stall_timeout: Duration) -> Self {
        Self {
            taken,
            stall_timeout,
        }
    }

    /// The number of bytes that the client, or the system for it, has taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken.bytes()
    }

    /// The time for which a client may take nothing.
    pub(super) fn stall_timeout(&self) -> Duration {
        self.stall_timeout
    }

    /// Waits for a write. `None` if the client is too slow, or if `is_in_the_way` returns true.
    pub(super) async fn keep<T>(
        &self,
        mut writing: impl Future<Output = T> + Unpin,
        is_in_the_way: impl Fn() -> bool,
    ) -> Option<T> {
        let look = (self.stall_timeout / LOOKS).max(Duration::from_millis(1));
        let (mut seen, mut at) = (self.taken(), Instant::now());
        let mut left = self.stall_timeout;
        loop {
            if let Ok(written) = timeout(look.min(left), &mut writing).await {
                return Some(written);
            }
            let (taken, now) = (self.taken(), Instant::now());
            left = left.saturating_sub(now - at) + time_for(taken - seen);
            left = left.min(self.stall_timeout);
            if left.is_zero() || is_in_the_way() {
                return None;
            }
            (seen, at) = (taken, now);
        }
    }
}

/// The time in which the slowest permitted reader takes this many bytes.
pub(super) fn time_for(bytes: u64) -> Duration {
    Duration::from_micros(bytes.saturating_mul(1_000_000) / SLOWEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::pin::pin;
    use tokio::time::sleep;

    const STALL: Duration = Duration::from_secs(30);

    /// The time for which a client is kept that takes this many bytes after each pause, and then nothing.
    async fn kept(pause: Duration, times: u32, bytes: usize) -> Duration {
        let taken = AcceptedBytes::default();
        let pace = Pace::new(taken.clone(), STALL);
        let begun = Instant::now();
        let reading = async {
            for _ in 0..times {
                sleep(pause).await;
                taken.add(bytes);
            }
            pending::<()>().await;
        };
        assert_eq!(pace.keep(pin!(reading), || false).await, None);
        begun.elapsed()
    }

    fn is_about(time: Duration, seconds: u64) -> bool {
        // The last bytes may arrive just before a check, or just after it.
        time.abs_diff(Duration::from_secs(seconds)) <= STALL / LOOKS
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_takes_nothing_stalls() {
        let time = kept(Duration::ZERO, 0, 0).await;
        assert_eq!(time, STALL);
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_stops_stalls_after_its_last_bytes() {
        let second = Duration::from_secs(1);
        let time = kept(second, 10, 1 << 20).await;
        assert!(is_about(time, 10 + 30), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn client_of_1_kib_per_second_is_kept() {
        let second = Duration::from_secs(1);
        let time = kept(second, 3600, 1024).await;
        assert!(is_about(time, 3600 + 30), "{time:?}");
        // In bursts, because the system may take bytes in bursts.
        let time = kept(second * 20, 180, 20 * 1024).await;
        assert!(is_about(time, 3600 + 30), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn client_of_half_a_kib_per_second_stalls() {
        let time = kept(Duration::from_secs(1), 3600, 512).await;
        assert!(is_about(time, 60), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn write_that_ends_is_kept() {
        let pace = Pace::new(AcceptedBytes::default(), STALL);
        assert_eq!(pace.keep(ready(7), || true).await, Some(7));
        let late = sleep(STALL - Duration::from_millis(1));
        assert_eq!(pace.keep(pin!(late), || false).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn client_in_the_way_is_not_kept() {
        let pace = Pace::new(AcceptedBytes::default(), STALL);
        let late = sleep(STALL - Duration::from_millis(1));
        assert_eq!(pace.keep(pin!(late), || true).await, None);
    }
}
