//! The outbox of analytics events, except the events that the [writer](super::write) stores with a change.

use super::statements::Statements;
use super::time::lease_micros;
use crate::store::outbox::{LONGEST_BATCH_WAIT, OutboxEvent};
use crate::store::postgres::connect::error::into_store_error;
use crate::store::postgres::connect::statement::query;
use crate::store::postgres::read::readers::Readers;
use crate::store::sql::{Columns, RowError, int};
use crate::store::{BatchClaim, OutboxBatch, StoreError};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Stores events without a change of a thread.
pub(super) async fn append(readers: &Readers, rows: Vec<OutboxEvent>) -> Result<(), StoreError> {
    let append = |sql: &Statements, last: DateTime<Utc>| {
        let workers: Vec<_> = rows.iter().map(|row| row.worker_id.clone()).collect();
        let events: Vec<_> = rows.iter().map(|row| row.json.clone()).collect();
        query(&sql.own.append_outbox)
            .bind(workers)
            .bind(events)
            .bind(last)
    };
    let appended = readers.execute_once("store analytics events", append).await;
    appended.map(drop)
}

/// Claims a batch, or creates one. If the answer is lost, the next call returns the same batch, because this process
/// holds it.
pub(super) async fn claim(
    readers: &Readers,
    claim: &BatchClaim,
) -> Result<Option<OutboxBatch>, StoreError> {
    const WHAT: &str = "claim an analytics batch";
    let old = |sql: &Statements| {
        query(&sql.own.claim_batch)
            .bind(claim.node.clone())
            .bind(lease_micros(claim.lease))
            .bind(lease_micros(LONGEST_BATCH_WAIT))
    };
    let new = |sql: &Statements| {
        query(&sql.own.create_batch)
            .bind(claim.node.clone())
            .bind(lease_micros(claim.lease))
            .bind(claim.batch_id.clone())
            .bind(int(claim.events.max(1) as u64))
            .bind(int(claim.bytes as u64))
            .bind(lease_micros(claim.age))
            .bind(lease_micros(LONGEST_BATCH_WAIT))
    };
    let mut rows = readers.execute(WHAT, old).await?;
    if rows.is_empty() {
        rows = readers.execute(WHAT, new).await?;
    }
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let read = || {
        let batch = OutboxBatch {
            id: row.text(1)?.to_owned(),
            worker_id: row.text(2)?.to_owned(),
            attempt: u32::try_from(row.number(3)?).unwrap_or(u32::MAX),
            events: Vec::new(),
        };
        Ok((row.number(0)?, batch))
    };
    let fault = |error: RowError| into_store_error(error, WHAT);
    let (pk, mut batch) = read().map_err(fault)?;
    let events = |sql: &Statements| query(&sql.own.batched_events).bind(pk);
    for row in readers.execute(WHAT, events).await? {
        batch.events.push(row.text(0).map_err(fault)?.to_owned());
    }
    Ok(Some(batch))
}

/// Removes a batch with its events.
pub(super) async fn remove(readers: &Readers, batch_id: &str) -> Result<(), StoreError> {
    let remove = |sql: &Statements| query(&sql.own.remove_batch).bind(batch_id.to_owned());
    let removed = readers.execute("remove an analytics batch", remove).await;
    removed.map(drop)
}

/// Returns a batch to the outbox.
pub(super) async fn retry(
    readers: &Readers,
    node: &str,
    batch_id: &str,
    wait: Duration,
) -> Result<(), StoreError> {
    let retry = |sql: &Statements| {
        query(&sql.own.retry_batch)
            .bind(batch_id.to_owned())
            .bind(node.to_owned())
            .bind(lease_micros(wait.min(LONGEST_BATCH_WAIT)))
    };
    let requeued = readers.execute("requeue an analytics batch", retry).await;
    requeued.map(drop)
}

/// Removes the oldest events above a limit, and returns their number.
pub(super) async fn trim(readers: &Readers, limit: usize) -> Result<usize, StoreError> {
    const WHAT: &str = "drop old analytics events";
    let trim = |sql: &Statements| query(&sql.own.trim_outbox).bind(int(limit as u64));
    let rows = readers.execute(WHAT, trim).await?;
    let Some(row) = rows.first() else {
        return Ok(0);
    };
    let dropped = row
        .count(0)
        .map_err(|error| into_store_error(error, WHAT))?;
    Ok(usize::try_from(dropped).unwrap_or(usize::MAX))
}
