//! The task that sends the outbox.

use super::batch::body;
use super::client::{Client, SendError};
use super::options::AnalyticsWebhook;
use crate::crash;
use crate::http::signature;
use crate::protocol::{new_id, timestamp};
use crate::store::{BatchClaim, OutboxBatch, Store, StoreError};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

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
    /// The id of the batch that is being sent.
    held: Option<String>,
    /// `true` if the last operation on the store failed.
    is_failing: bool,
    dropped: DroppedEvents,
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
            held: None,
            is_failing: false,
            dropped: DroppedEvents::default(),
        }
    }

    /// Sends batches until `stopped` fires. Then sends the events that wait, without waiting for others, as long as the
    /// receiver accepts them and for a short time at most. A batch that is still being sent then is returned to the
    /// outbox.
    pub(in crate::server) async fn run(mut self, stopped: CancellationToken) {
        let last_moments = self.webhook.pace.last_moments;
        let late = async {
            stopped.cancelled().await;
            sleep(last_moments).await;
        };
        tokio::select! {
            () = self.send_all(&stopped) => {}
            () = late => {}
        }
        self.dropped.log();
        if let Some(batch_id) = self.held.take() {
            // If this fails, another process takes the batch over when the lease ends.
            let _ = self
                .store
                .retry_batch(&self.node, &batch_id, Duration::ZERO)
                .await;
        }
    }

    async fn send_all(&mut self, stopped: &CancellationToken) {
        let mut trimmed_at = None;
        loop {
            let is_due = |at: Instant| at.elapsed() >= self.webhook.pace.trim;
            let is_stopping = stopped.is_cancelled();
            if !is_stopping && trimmed_at.is_none_or(is_due) {
                trimmed_at = Some(Instant::now());
                let trimmed = self.store.trim_outbox(self.webhook.max_events).await;
                self.dropped.note(trimmed.unwrap_or_default() as u64);
            }
            let age = if is_stopping {
                Duration::ZERO
            } else {
                self.webhook.max_age
            };
            let pause = match self.send_next(age).await {
                Ok(is_sent) => {
                    self.is_failing = false;
                    if is_sent {
                        continue;
                    }
                    self.pause()
                }
                Err(error) => {
                    if !self.is_failing {
                        tracing::warn!(target: "dooers::webhook", error = &error as &dyn Error, "the outbox of analytics events is not available; trying again until it is");
                    }
                    self.is_failing = true;
                    self.webhook.pace.poll
                }
            };
            if is_stopping {
                return;
            }
            stopped.run_until_cancelled(sleep(pause)).await;
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

    /// Sends the next batch, if one is due and the receiver accepts it. An event makes a batch due after the time `age`.
    /// Returns `true` if there may be another batch.
    async fn send_next(&mut self, age: Duration) -> Result<bool, StoreError> {
        let claim = BatchClaim {
            node: self.node.clone(),
            batch_id: new_id(),
            lease: self.lease,
            events: BATCH_EVENTS,
            bytes: BATCH_BYTES,
            age,
        };
        let Some(batch) = self.store.claim_batch(&claim).await? else {
            return Ok(false);
        };
        self.held = Some(batch.id.clone());
        crash::point("webhook-claimed");
        let is_sent = match self.send(&batch).await {
            Ok(()) => {
                crash::point("webhook-confirmed");
                self.store.remove_batch(&batch.id).await?;
                tracing::debug!(target: "dooers::webhook", batch_id = batch.id, events = batch.events.len(), "sent a batch");
                true
            }
            Err(error) => {
                let back_off = self.webhook.pace.back_off;
                let wait = back_off.wait(batch.attempt, error.asked_wait());
                tracing::warn!(target: "dooers::webhook", error = &error as &dyn Error, receiver = %self.webhook.url, batch_id = batch.id, attempt = batch.attempt, ?wait, "a batch of analytics events was not accepted; it is sent again after the wait");
                self.store.retry_batch(&self.node, &batch.id, wait).await?;
                false
            }
        };
        self.held = None;
        Ok(is_sent)
    }

    async fn send(&self, batch: &OutboxBatch) -> Result<(), SendError> {
        let sent_at = timestamp::now();
        let body = body(batch, sent_at).map_err(SendError::Body)?;
        let key = self.webhook.secret.expose().as_bytes();
        let signature = signature(key, &body, sent_at);
        self.client.post(body, &signature).await
    }
}

/// The number of dropped events, which is logged at most once a minute.
#[derive(Debug, Default)]
pub(super) struct DroppedEvents {
    total: u64,
    unlogged: u64,
    logged_at: Option<Instant>,
}

impl DroppedEvents {
    /// Adds dropped events, and logs their number if the last log line is old enough. Returns the number that was logged.
    pub(super) fn note(&mut self, dropped: u64) -> u64 {
        self.total += dropped;
        self.unlogged += dropped;
        let is_silent = self.logged_at.is_some_and(|at| at.elapsed() < LOG_EVERY);
        if is_silent { 0 } else { self.log() }
    }

    /// Logs the number of events that were dropped since the last log line, and returns it. Logs nothing if it is 0.
    pub(super) fn log(&mut self) -> u64 {
        let unlogged = std::mem::take(&mut self.unlogged);
        if unlogged > 0 {
            tracing::warn!(target: "dooers::webhook", dropped = unlogged, total = self.total, "more analytics events waited for the webhook than are kept; the oldest were dropped");
            self.logged_at = Some(Instant::now());
        }
        unlogged
    }
}
