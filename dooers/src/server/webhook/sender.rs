//! The task that sends the outbox.

use super::batch::{body, signature};
use super::client::{Client, SendError};
use super::options::AnalyticsWebhook;
use crate::crash;
use crate::protocol::{new_id, timestamp};
use crate::store::{BatchClaim, OutboxBatch, Store, StoreError};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Maximum number of events in a batch.
const BATCH_EVENTS: usize = 100;

/// Maximum size of a batch, in bytes of its events. A single event may be larger.
const BATCH_BYTES: usize = 1024 * 1024;

/// The shortest pause between two log lines about dropped events.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The task that sends the outbox of a store to the webhook.
#[derive(Debug)]
pub(in crate::server) struct Sender {
    store: Arc<dyn Store>,
    webhook: AnalyticsWebhook,
    client: Client,
    node: String,
    /// The time for which no other process sends a batch.
    lease: Duration,
    dropped: DroppedEvents,
}

/// The number of dropped events.
#[derive(Debug, Default)]
struct DroppedEvents {
    total: u64,
    unlogged: u64,
    logged_at: Option<Instant>,
}

impl Sender {
    /// Creates the sender. `lease` is the time for which this process keeps a batch after the time limit of its request.
    pub(in crate::server) fn new(
        store: Arc<dyn Store>,
        webhook: AnalyticsWebhook,
        lease: Duration,
    ) -> Self {
        Self {
            store,
            client: Client::new(&webhook),
            lease: webhook.timeout.saturating_add(lease),
            webhook,
            node: new_id(),
            dropped: DroppedEvents::default(),
        }
    }

    /// Sends batches until the future is dropped. A batch that is being sent then is sent again later.
    pub(in crate::server) async fn run(mut self) {
        let mut trimmed_at = None;
        loop {
            let is_due = |at: Instant| at.elapsed() >= self.webhook.pace.trim;
            if trimmed_at.is_none_or(is_due) {
                trimmed_at = Some(Instant::now());
                self.trim().await;
            }
            match self.send_next().await {
                Ok(true) => {}
                Ok(false) => sleep(self.pause()).await,
                Err(error) => {
                    tracing::warn!(target: "dooers::webhook", error = &error as &dyn Error, "the outbox of analytics events is not available; trying again");
                    sleep(self.webhook.pace.poll).await;
                }
            }
        }
    }

    /// Returns the pause between two searches for a batch.
    fn pause(&self) -> Duration {
        let shortest = Duration::from_millis(10);
        self.webhook
            .max_age
            .max(shortest)
            .min(self.webhook.pace.poll)
    }

    /// Sends the next batch, if one is due and the receiver accepts it. Returns `true` if there may be another one.
    async fn send_next(&mut self) -> Result<bool, StoreError> {
        let claim = BatchClaim {
            node: self.node.clone(),
            batch_id: new_id(),
            lease: self.lease,
            events: BATCH_EVENTS,
            bytes: BATCH_BYTES,
            age: self.webhook.max_age,
        };
        let Some(batch) = self.store.claim_batch(&claim).await? else {
            return Ok(false);
        };
        crash::point("webhook-claimed");
        match self.send(&batch).await {
            Ok(()) => {
                crash::point("webhook-confirmed");
                self.store.remove_batch(&batch.id).await?;
                tracing::debug!(target: "dooers::webhook", batch_id = batch.id, events = batch.events.len(), "sent a batch");
                Ok(true)
            }
            Err(error) => {
                let back_off = self.webhook.pace.back_off;
                let wait = back_off.wait(batch.attempt, error.asked_wait());
                tracing::warn!(target: "dooers::webhook", error = &error as &dyn Error, receiver = %self.webhook.url, batch_id = batch.id, attempt = batch.attempt, ?wait, "a batch of analytics events was not accepted; it is sent again after the wait");
                self.store.retry_batch(&self.node, &batch.id, wait).await?;
                Ok(false)
            }
        }
    }

    async fn send(&mut self, batch: &OutboxBatch) -> Result<(), SendError> {
        let sent_at = timestamp::now();
        let body = body(batch, sent_at).map_err(SendError::Body)?;
        let signature = signature(&self.webhook.secret, &body, sent_at);
        self.client.post(body, &signature).await
    }

    /// Drops the oldest events above the limit.
    async fn trim(&mut self) {
        match self.store.trim_outbox(self.webhook.max_events).await {
            Ok(dropped) => self.dropped.note(dropped as u64),
            Err(error) => {
                tracing::warn!(target: "dooers::webhook", error = &error as &dyn Error, "the outbox of analytics events could not be searched for events above its limit");
            }
        }
    }
}

impl DroppedEvents {
    /// Adds dropped events, and logs their number at most once a minute.
    fn note(&mut self, dropped: u64) {
        self.total += dropped;
        self.unlogged += dropped;
        let is_silent = self.logged_at.is_some_and(|at| at.elapsed() < LOG_EVERY);
        if self.unlogged == 0 || is_silent {
            return;
        }
        tracing::warn!(target: "dooers::webhook", dropped = self.unlogged, total = self.total, "more analytics events waited for the webhook than are kept; the oldest were dropped");
        self.unlogged = 0;
        self.logged_at = Some(Instant::now());
    }
}
