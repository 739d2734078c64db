//! Log lines about something frequent.

use std::time::Duration;
use tokio::time::Instant;

/// The interval at which a log line is repeated while its reason lasts.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// A counter of something frequent that is logged at most once a minute.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    said: Option<Instant>,
    count: u64,
}

impl Sparse {
    /// Counts one occurrence. If a log line is due, returns the count since the last line.
    pub(super) fn count(&mut self) -> Option<u64> {
        self.count += 1;
        if self.said.is_some_and(|said| said.elapsed() < LOG_EVERY) {
            return None;
        }
        self.said = Some(Instant::now());
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn count_is_logged_at_most_once_a_minute() {
        let mut refused = Sparse::default();
        assert_eq!(refused.count(), Some(1));
        assert_eq!(refused.count(), None);
        assert_eq!(refused.count(), None);
        tokio::time::advance(LOG_EVERY).await;
        assert_eq!(refused.count(), Some(3));
        assert_eq!(refused.count(), None);
    }
}
