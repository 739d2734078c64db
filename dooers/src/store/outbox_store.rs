//! The interface of the outbox of a store.

use super::{AnalyticsFilter, BatchClaim, OutboxBatch, StoreError};
use crate::protocol::AnalyticsEvent;
use async_trait::async_trait;
use std::time::Duration;

/// The outbox of a [`Store`](super::Store): the analytics events that wait for the webhook.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Turns the outbox on for these analytics events, or off. It is off at first. While it is on, each change of a
    /// thread stores the built-in events that follow from it, in its own transaction.
    #[doc(hidden)]
    fn keep_outbox(&self, filter: Option<AnalyticsFilter>);

    /// Stores analytics events in the outbox. Events that the outbox does not keep are ignored.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer. After `Unavailable` the events may be stored.
    #[doc(hidden)]
    async fn append_outbox(&self, events: Vec<AnalyticsEvent>) -> Result<(), StoreError>;

    /// Claims a batch of the outbox: the oldest one that no other process holds and that may be sent again, or else a
    /// new one of the oldest events. Returns `None` if no batch is due. While a batch waits for its next attempt, no
    /// batch is created, because the receiver does not accept others either.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn claim_batch(&self, claim: &BatchClaim) -> Result<Option<OutboxBatch>, StoreError>;

    /// Removes a batch with its events, because the receiver has confirmed it. Nothing happens if it does not exist.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn remove_batch(&self, batch_id: &str) -> Result<(), StoreError>;

    /// Returns a batch that this process holds to the outbox. It is claimed again after this time, at most
    /// [`LONGEST_BATCH_WAIT`](super::LONGEST_BATCH_WAIT).
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn retry_batch(
        &self,
        node: &str,
        batch_id: &str,
        wait: Duration,
    ) -> Result<(), StoreError>;

    /// Removes the oldest events, as many as exceed the limit, and returns their number. A batch is removed as a whole,
    /// and not while a process holds it.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn trim_outbox(&self, limit: usize) -> Result<usize, StoreError>;
}
