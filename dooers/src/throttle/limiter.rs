//! Rate limiters for handlers.

use super::bucket::Bucket;
use super::keyed::Keyed;
use super::rate::Rate;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A rate limiter for handlers, with a separate count for each key, such as a user.
///
/// Clones share their counts. It is usually a [`State`](crate::State):
///
/// ```
/// use dooers::prelude::*;
/// use dooers::{Rate, RateLimiter};
///
/// /// The searches of each user, by organization and user id.
/// type Searches = RateLimiter<(String, String)>;
///
/// #[dooers::agent]
/// async fn searcher(request: WorkerRequest, State(searches): State<Searches>) -> Result<String> {
///     let user = (request.organization_id, request.user.user_id);
///     if let Err(exceeded) = searches.check(user) {
///         return Ok(format!("You may search again in {} s.", exceeded.retry_after.as_secs() + 1));
///     }
///     Ok("I found nothing.".to_owned())
/// }
///
/// let server = WorkerServer::new(WorkerConfig::new())
///     .state(Searches::new(Rate::per_hour(30).burst(5)));
/// ```
///
/// The counts are in memory: they are separate in each process, and begin anew when it starts. Counts of keys that have
/// earned their whole burst again are dropped. At most 100,000 keys are counted at a time. Above that, those with the
/// smallest debts are forgotten.
pub struct RateLimiter<K> {
    rate: Rate,
    buckets: Arc<Mutex<Keyed<K, Bucket>>>,
}

/// The refusal of a [`RateLimiter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rate limit is reached; try again in {} ms", retry_after.as_millis())]
#[non_exhaustive]
pub struct RateExceeded {
    /// The time after which the refused units are admitted, if nothing else is admitted for the key in the meantime.
    pub retry_after: Duration,
}

impl<K: Eq + Hash + Clone> RateLimiter<K> {
    /// Creates a limiter that admits this rate for each key.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: Arc::default(),
        }
    }

    /// Takes one unit of a key.
    ///
    /// # Errors
    ///
    /// [`RateExceeded`] if the key has none left. Nothing is taken then.
    pub fn check(&self, key: K) -> Result<(), RateExceeded> {
        self.check_units(key, 1)
    }

    /// Takes several units of a key, such as the size of a request. More units than the burst are admitted when the key has
    /// its whole burst.
    ///
    /// # Errors
    ///
    /// [`RateExceeded`] if the key has too few left. Nothing is taken then.
    pub fn check_units(&self, key: K, units: u32) -> Result<(), RateExceeded> {
        let now = Instant::now();
        // Nothing panics while the lock is held, except the program's `Eq` and `Hash`, which leave the map usable.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.state(key, now);
        let retry_after = bucket.wait(&self.rate, units, now);
        if retry_after.is_zero() {
            bucket.take(&self.rate, units, now);
            Ok(())
        } else {
            Err(RateExceeded { retry_after })
        }
    }
}

impl<K> Clone for RateLimiter<K> {
    fn clone(&self) -> Self {
        Self {
            rate: self.rate,
            buckets: Arc::clone(&self.buckets),
        }
    }
}

impl<K> fmt::Debug for RateLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_key_has_its_own_count() {
        let limiter = RateLimiter::new(Rate::per_minute(60).burst(2));
        let clone = limiter.clone();
        assert_eq!(limiter.check("ana"), Ok(()));
        assert_eq!(clone.check("ana"), Ok(()));
        let exceeded = limiter.check("ana").unwrap_err();
        assert_eq!(exceeded.retry_after, Duration::from_secs(1));
        assert_eq!(
            exceeded.to_string(),
            "the rate limit is reached; try again in 1000 ms"
        );
        assert_eq!(limiter.check_units("bob", 5), Ok(()), "a full bucket");
        assert!(limiter.check("bob").is_err());
        tokio::time::advance(exceeded.retry_after).await;
        assert_eq!(limiter.check("ana"), Ok(()));
        assert!(limiter.check("ana").is_err());
    }
}
