//! The outbox: analytics events that wait for the webhook.
//!
//! The events are rows of the store. Built-in events are written in the transaction of the change that they describe, so
//! that a crash neither loses nor doubles one. A process claims a batch of rows for some time, sends it, and then removes
//! it. A batch that is sent again has the same id and the same events.

use super::StoreError;
use super::analytics::AnalyticsFilter;
use crate::protocol::AnalyticsEvent;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The longest wait before another attempt to send a batch.
///
/// A stored time that is further ahead comes from a clock that has since been set back. The batch is then due at once.
pub const LONGEST_BATCH_WAIT: Duration = Duration::from_secs(3600);

/// A request for a batch of analytics events.
#[derive(Debug, Clone)]
pub struct BatchClaim {
    /// The process that will send the batch. It has at most one batch at a time.
    pub node: String,
    /// The id for the batch if it is new.
    pub batch_id: String,
    /// The time for which no other process may claim the batch. A process that does not confirm it within this time may
    /// find that the batch was sent twice.
    pub lease: Duration,
    /// Maximum number of events in a new batch. If this many events wait, a batch is due at once.
    pub events: usize,
    /// Maximum size of a new batch, in bytes of its events. A single event may be larger.
    pub bytes: usize,
    /// The time after which a waiting event makes a batch due.
    pub age: Duration,
}

/// A batch of analytics events of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxBatch {
    /// The id of the batch. A batch that is sent again keeps it.
    pub id: String,
    /// The worker of the events.
    pub worker_id: String,
    /// The number of the attempt to send the batch, from 1.
    pub attempt: u32,
    /// The JSON of each [`AnalyticsEvent`], in the order in which the events were stored.
    pub events: Vec<String>,
}

/// An event as a row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutboxEvent {
    pub(crate) worker_id: String,
    /// The JSON of the event.
    pub(crate) json: String,
}

impl OutboxEvent {
    /// Creates the row of an event.
    pub(crate) fn of(event: &AnalyticsEvent) -> Result<Self, serde_json::Error> {
        Ok(Self {
            worker_id: event.worker_id.clone(),
            json: serde_json::to_string(event)?,
        })
    }
}

/// The setting of a store that turns its outbox on. Clones share the setting.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutboxSwitch(Arc<RwLock<Option<Arc<AnalyticsFilter>>>>);

impl OutboxSwitch {
    /// Turns the outbox on for these events, or off.
    pub(crate) fn set(&self, filter: Option<AnalyticsFilter>) {
        let mut switch = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *switch = filter.map(Arc::new);
    }

    /// Returns the events that are stored. `None` if the outbox is off.
    pub(crate) fn filter(&self) -> Option<Arc<AnalyticsFilter>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the rows of those events that are stored.
    pub(crate) fn rows(&self, events: &[AnalyticsEvent]) -> Result<Vec<OutboxEvent>, StoreError> {
        let Some(filter) = self.filter() else {
            return Ok(Vec::new());
        };
        let stored = events.iter().filter(|event| filter.allows(&event.event));
        let rows = stored.map(OutboxEvent::of).collect::<Result<_, _>>();
        rows.map_err(|error| StoreError::Invalid(error.to_string()))
    }
}

/// Returns `true` if an event that was stored at a time makes a batch due. A time that is ahead of the clock counts as
/// past.
pub(crate) fn is_old(stored_at: DateTime<Utc>, now: DateTime<Utc>, age: Duration) -> bool {
    let waited = now - stored_at;
    waited < TimeDelta::zero() || waited.to_std().is_ok_and(|waited| waited >= age)
}

/// Returns `true` if a time lies ahead by at most `longest`. A time further ahead comes from a clock that was set back.
pub(crate) fn is_ahead(time: DateTime<Utc>, now: DateTime<Utc>, longest: Duration) -> bool {
    let ahead = (time - now).to_std();
    ahead.is_ok_and(|ahead| !ahead.is_zero() && ahead <= longest)
}

/// Returns the number of the first events that fit into a batch, from their sizes in bytes.
pub(crate) fn fitting(sizes: impl IntoIterator<Item = usize>, claim: &BatchClaim) -> usize {
    let mut bytes: usize = 0;
    let mut count = 0;
    for size in sizes.into_iter().take(claim.events) {
        bytes = bytes.saturating_add(size);
        if count > 0 && bytes > claim.bytes {
            break;
        }
        count += 1;
    }
    count
}
