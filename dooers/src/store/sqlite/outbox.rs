//! The outbox, on the writer's connection.

use super::batch::SqliteOperation;
use super::database::WriterDatabase;
use crate::protocol::timestamp;
use crate::store::claim::end_of_lease;
use crate::store::outbox::{LONGEST_BATCH_WAIT, OutboxEvent, fitting, is_old};
use crate::store::sql::{Columns, Stop, int};
use crate::store::{BatchClaim, OutboxBatch};
use chrono::{DateTime, Utc};
use rusqlite::params;
use std::time::Duration;

/// Stores events for the webhook.
pub(super) fn insert(db: &WriterDatabase, events: &[OutboxEvent]) -> Result<(), Stop> {
    let at = timestamp::now().timestamp_micros();
    for event in events {
        let row = params![event.worker_id, event.json, at];
        db.execute(&db.sql.writes.insert_outbox, row)?;
    }
    Ok(())
}

/// Stores events without a change of a thread.
#[derive(Debug)]
pub(super) struct AppendOutbox(pub(super) Vec<OutboxEvent>);

impl SqliteOperation for AppendOutbox {
    type Answer = ();
    const WHAT: &'static str = "store analytics events";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        insert(db, &self.0)
    }
}

/// Makes the batches of the last process available again. Only one process opens the file, so no lease of another
/// process is valid.
#[derive(Debug)]
pub(super) struct ReleaseBatches;

impl SqliteOperation for ReleaseBatches {
    type Answer = ();
    const WHAT: &'static str = "release analytics batches";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        db.execute(&db.sql.writes.release_batches, [])
    }
}

/// Claims a batch, or creates one.
#[derive(Debug)]
pub(super) struct ClaimBatch(pub(super) BatchClaim);

/// A batch without its events.
struct BatchRow {
    pk: i64,
    id: String,
    worker_id: String,
    attempt: i64,
}

impl SqliteOperation for ClaimBatch {
    type Answer = Option<OutboxBatch>;
    const WHAT: &'static str = "claim an analytics batch";

    fn run(&self, db: &WriterDatabase) -> Result<Option<OutboxBatch>, Stop> {
        let row = match self.claim(db)? {
            Some(row) => row,
            None => match self.create(db)? {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        let events = db.every(&db.sql.writes.batched_events, [row.pk], |row| {
            Ok(row.text(0)?.to_owned())
        })?;
        Ok(Some(OutboxBatch {
            id: row.id,
            worker_id: row.worker_id,
            attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX),
            events,
        }))
    }
}

impl ClaimBatch {
    /// Claims the oldest batch that no other process holds and that does not wait.
    fn claim(&self, db: &WriterDatabase) -> Result<Option<BatchRow>, Stop> {
        let now = timestamp::now();
        let row = params![
            self.0.node,
            now.timestamp_micros(),
            end_of_lease(self.0.lease).timestamp_micros(),
            latest_wait(now),
        ];
        db.first(&db.sql.writes.claim_batch, row, |row| {
            Ok(BatchRow {
                pk: row.number(0)?,
                id: row.text(1)?.to_owned(),
                worker_id: row.text(2)?.to_owned(),
                attempt: row.number(3)?,
            })
        })
    }

    /// Creates a batch of the oldest events, if it is due.
    fn create(&self, db: &WriterDatabase) -> Result<Option<BatchRow>, Stop> {
        let (sql, claim, now) = (&db.sql.writes, &self.0, timestamp::now());
        let waiting = params![now.timestamp_micros(), latest_wait(now)];
        if db.first(&sql.waiting_batch, waiting, |_| Ok(()))?.is_some() {
            return Ok(None);
        }
        let oldest = db.first(&sql.oldest_outbox, [], |row| {
            Ok((row.text(0)?.to_owned(), row.time(1)?))
        })?;
        let Some((worker_id, stored_at)) = oldest else {
            return Ok(None);
        };
        let before_last = int(claim.events.saturating_sub(1) as u64);
        let is_full = db
            .first(&sql.nth_outbox, [before_last], |_| Ok(()))?
            .is_some();
        if !is_full && !is_old(stored_at, now, claim.age) {
            return Ok(None);
        }
        let first = params![worker_id, int(claim.events as u64)];
        let rows = db.every(&sql.outbox_sizes, first, |row| {
            Ok((row.number(0)?, row.count(1)?))
        })?;
        let sizes = rows
            .iter()
            .map(|(_, size)| usize::try_from(*size).unwrap_or(usize::MAX));
        let Some((last, _)) = fitting(sizes, claim)
            .checked_sub(1)
            .and_then(|last| rows.get(last))
        else {
            return Ok(None);
        };
        let lease_until = end_of_lease(claim.lease).timestamp_micros();
        let batch = params![claim.batch_id, worker_id, claim.node, lease_until];
        let pk = db.insert(&sql.insert_batch, batch)?;
        db.execute(&sql.fill_batch, params![pk, worker_id, last])?;
        Ok(Some(BatchRow {
            pk,
            id: claim.batch_id.clone(),
            worker_id,
            attempt: 1,
        }))
    }
}

/// Returns the latest time for which a batch waits. A later time comes from a clock that was set back.
fn latest_wait(now: DateTime<Utc>) -> i64 {
    let longest = i64::try_from(LONGEST_BATCH_WAIT.as_micros()).unwrap_or(i64::MAX);
    now.timestamp_micros().saturating_add(longest)
}

/// Removes a batch with its events.
#[derive(Debug)]
pub(super) struct RemoveBatch(pub(super) String);

impl SqliteOperation for RemoveBatch {
    type Answer = ();
    const WHAT: &'static str = "remove an analytics batch";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        db.execute(&db.sql.writes.remove_batched, params![self.0])?;
        db.execute(&db.sql.writes.remove_batch, params![self.0])
    }
}

/// Returns a batch to the outbox.
#[derive(Debug)]
pub(super) struct RetryBatch {
    pub(super) node: String,
    pub(super) batch_id: String,
    pub(super) wait: Duration,
}

impl SqliteOperation for RetryBatch {
    type Answer = ();
    const WHAT: &'static str = "requeue an analytics batch";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        let not_before = end_of_lease(self.wait.min(LONGEST_BATCH_WAIT));
        let row = params![self.batch_id, self.node, not_before.timestamp_micros()];
        db.execute(&db.sql.writes.retry_batch, row)
    }
}

/// Removes the oldest events above a limit.
#[derive(Debug)]
pub(super) struct TrimOutbox(pub(super) usize);

impl SqliteOperation for TrimOutbox {
    type Answer = usize;
    const WHAT: &'static str = "drop old analytics events";

    fn run(&self, db: &WriterDatabase) -> Result<usize, Stop> {
        let sql = &db.sql.writes;
        let limit = int(self.0 as u64);
        let Some(last) = db.first(&sql.newest_excess, [limit], |row| row.number(0))? else {
            return Ok(0);
        };
        let before = db.rows_written();
        db.execute(&sql.drop_waiting, [last])?;
        let batches = db.every(&sql.excess_batches, [last], |row| row.number(0))?;
        for pk in &batches {
            db.execute(&sql.drop_batched, [pk])?;
        }
        let dropped = db.rows_written() - before;
        for pk in &batches {
            db.execute(&sql.drop_batch, [pk])?;
        }
        Ok(usize::try_from(dropped).unwrap_or(usize::MAX))
    }
}
