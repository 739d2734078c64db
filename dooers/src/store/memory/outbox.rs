//! The outbox of the store in memory.

use crate::protocol::timestamp;
use crate::store::outbox::{LONGEST_BATCH_WAIT, OutboxEvent, fitting, is_ahead, is_old};
use crate::store::{BatchClaim, OutboxBatch};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The outbox of the store in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryOutbox {
    /// The events, in the order in which they were stored.
    rows: Vec<Row>,
    /// The batches, in the order in which they were created.
    batches: Vec<Batch>,
}

#[derive(Debug)]
struct Row {
    event: OutboxEvent,
    stored_at: DateTime<Utc>,
    /// The id of the batch that contains the event.
    batch: Option<String>,
}

#[derive(Debug)]
struct Batch {
    id: String,
    worker_id: String,
    attempt: u32,
    /// The process that sends the batch, and the end of its lease.
    held: Option<(String, DateTime<Utc>)>,
    not_before: Option<DateTime<Utc>>,
}

impl Batch {
    fn is_waiting(&self, now: DateTime<Utc>) -> bool {
        self.not_before
            .is_some_and(|at| is_ahead(at, now, LONGEST_BATCH_WAIT))
    }

    fn is_free(&self, claim: &BatchClaim, now: DateTime<Utc>) -> bool {
        let is_held = self
            .held
            .as_ref()
            .is_some_and(|(node, until)| *node != claim.node && is_ahead(*until, now, claim.lease));
        !is_held
    }
}

/// Returns the time after this duration from now.
fn after(duration: Duration) -> DateTime<Utc> {
    let duration = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    let end = timestamp::now().checked_add_signed(duration);
    end.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl MemoryOutbox {
    pub(super) fn append(&mut self, events: impl IntoIterator<Item = OutboxEvent>) {
        let stored_at = timestamp::now();
        self.rows.extend(events.into_iter().map(|event| Row {
            event,
            stored_at,
            batch: None,
        }));
    }

    pub(super) fn claim(&mut self, claim: &BatchClaim) -> Option<OutboxBatch> {
        let now = timestamp::now();
        let is_due = |batch: &&mut Batch| batch.is_free(claim, now) && !batch.is_waiting(now);
        if let Some(batch) = self.batches.iter_mut().find(is_due) {
            batch.attempt += 1;
            batch.held = Some((claim.node.clone(), after(claim.lease)));
            let (id, worker_id) = (batch.id.clone(), batch.worker_id.clone());
            let attempt = batch.attempt;
            return Some(self.batch(id, worker_id, attempt));
        }
        // While a batch waits for its next attempt, the receiver does not accept others either.
        if self.batches.iter().any(|batch| batch.is_waiting(now)) {
            return None;
        }
        let mut waiting = self.rows.iter().filter(|row| row.batch.is_none());
        let oldest = waiting.next()?;
        let is_full = claim.events <= 1 || waiting.nth(claim.events - 2).is_some();
        if !is_full && !is_old(oldest.stored_at, now, claim.age) {
            return None;
        }
        let worker_id = oldest.event.worker_id.clone();
        let of_worker = |row: &&mut Row| row.batch.is_none() && row.event.worker_id == worker_id;
        let mut rows: Vec<_> = self.rows.iter_mut().filter(of_worker).collect();
        let count = fitting(rows.iter().map(|row| row.event.json.len()), claim);
        for row in &mut rows[..count] {
            row.batch = Some(claim.batch_id.clone());
        }
        self.batches.push(Batch {
            id: claim.batch_id.clone(),
            worker_id: worker_id.clone(),
            attempt: 1,
            held: Some((claim.node.clone(), after(claim.lease))),
            not_before: None,
        });
        Some(self.batch(claim.batch_id.clone(), worker_id, 1))
    }

    fn batch(&self, id: String, worker_id: String, attempt: u32) -> OutboxBatch {
        let rows = self.rows.iter();
        let rows = rows.filter(|row| row.batch.as_ref() == Some(&id));
        let events = rows.map(|row| row.event.json.clone()).collect();
        OutboxBatch {
            id,
            worker_id,
            attempt,
            events,
        }
    }

    pub(super) fn remove(&mut self, batch_id: &str) {
        self.batches.retain(|batch| batch.id != batch_id);
        self.rows
            .retain(|row| row.batch.as_deref() != Some(batch_id));
    }

    pub(super) fn retry(&mut self, node: &str, batch_id: &str, wait: Duration) {
        let mut batches = self.batches.iter_mut();
        let held = batches.find(|batch| {
            let is_ours = batch.held.as_ref().is_some_and(|(by, _)| by == node);
            batch.id == batch_id && is_ours
        });
        if let Some(batch) = held {
            batch.held = None;
            batch.not_before = Some(after(wait.min(LONGEST_BATCH_WAIT)));
        }
    }

    /// Removes the oldest events above the limit. A batch is removed as a whole, and not while a process holds it.
    pub(super) fn trim(&mut self, limit: usize) -> usize {
        let before = self.rows.len();
        let (batches, excess) = (&mut self.batches, before.saturating_sub(limit));
        let oldest = self.rows.iter().take(excess);
        for id in oldest.filter_map(|row| row.batch.as_ref()) {
            batches.retain(|batch| batch.id != *id || batch.held.is_some());
        }
        let mut place = 0;
        self.rows.retain(|row| {
            place += 1;
            match &row.batch {
                Some(id) => batches.iter().any(|batch| batch.id == *id),
                None => place > excess,
            }
        });
        before - self.rows.len()
    }
}
