//! The store in a SQLite file.

use super::SqliteOptions;
use super::nodes::{BuryNodes, ListNodes, RemoveDeadNodes, RemoveNode, ReportNode};
use super::open::{Opened, open};
use super::open_error::cannot_open;
use super::operations::{
    CancelTurn, ForgetSent, GiveFeedback, PutSettings, Recover, RemoveSetting, RenewLeases,
};
use super::outbox::{
    AppendOutbox, ClaimBatch, ReleaseBatches, RemoveBatch, RetryBatch, TrimOutbox,
};
use super::readers::{Readers, SqliteReading};
use super::statements::Statements;
use super::writer::Writer;
use crate::protocol::{AnalyticsEvent, timestamp};
use crate::store::outbox::OutboxSwitch;
use crate::store::sql::sql_store;
use crate::store::{
    AnalyticsFilter, BatchClaim, Cancel, Cancelled, HeldTurn, NodeInfo, NodeReport, NodeStore,
    OutboxBatch, OutboxStore, Recovered, StoreError, StoredSetting, WorkerKey,
};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// A store in a SQLite file.
///
/// A method returns when its changes have reached the disk. Only one process can have a file open at a time: on Linux
/// regardless of the name by which the file is opened, on other systems by the name of a lock file beside it, which
/// ends in `-lock`. A file with several names (hard links) is refused, because SQLite keeps another log for each name.
/// Only the owner can read new files. SQLite's own files beside the database have the mode of the database.
///
/// # Faults
///
/// While the disk is full or broken, or another program keeps the file locked, methods that write return
/// [`StoreError::Unavailable`], and [`ping`](crate::store::Store::ping) fails. The store tries to write again twice per
/// second.
///
/// The same happens within a second after a file of the database was removed, moved or replaced. If the file returns,
/// the store continues. Another file in its place is never used. Data that is stored between the removal of a file and
/// its detection is lost with the removed file. After a move, the moved file contains the data.
///
/// # Deleted data
///
/// SQLite overwrites deleted data with zeros (`secure_delete`). The write-ahead log is emptied as well when a setting
/// is removed, when a plain secret is replaced by a sealed one, and when the ids of users of a deleted thread are
/// removed. Data that an earlier version deleted may remain in the file until `VACUUM` is run on it while the server is
/// stopped. Copies in the file system or in backups are not affected.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) writer: Writer,
    readers: Readers,
    outbox: OutboxSwitch,
}

impl crate::store::OwnStore for SqliteStore {}

impl SqliteStore {
    /// Opens the store, and creates the file and its tables if they do not exist.
    ///
    /// # Errors
    ///
    /// `Open` if the file cannot be used. The file is unchanged, and the text says why and what to do.
    pub async fn open(options: SqliteOptions) -> Result<Self, StoreError> {
        let sql = Arc::new(Statements::new(&options.table_prefix));
        let (writer_options, writer_sql) = (options.clone(), Arc::clone(&sql));
        let opening = tokio::task::spawn_blocking(move || open(&writer_options, writer_sql));
        let Opened {
            database,
            lock,
            watch,
        } = opening
            .await
            .map_err(|error| cannot_open(&options.path, error))??;
        let outbox = database.outbox.clone();
        let writer =
            Writer::start(database, lock).map_err(|error| cannot_open(&options.path, error))?;
        let readers = Readers::open(watch, &options, sql)
            .await
            .map_err(|error| cannot_open(&options.path, error))?;
        writer.run(BuryNodes).await?;
        Ok(Self {
            writer,
            readers,
            outbox,
        })
    }
}

#[cfg(test)]
impl SqliteStore {
    /// Returns the number of executed statements.
    pub(super) fn executed(&self) -> usize {
        self.readers.executed()
    }
}

sql_store! {
    SqliteStore, SqliteReading;

    async fn cancel_turn(
        &self,
        scope: Option<&Scope>,
        cancel: &Cancel,
    ) -> Result<Cancelled, StoreError> {
        let cancel = CancelTurn {
            scope: scope.cloned(),
            cancel: cancel.clone(),
        };
        self.writer.run(cancel).await
    }

    async fn give_feedback(
        &self,
        scope: &Scope,
        given: NewFeedback,
    ) -> Result<GivenFeedback, StoreError> {
        let give = GiveFeedback {
            scope: scope.clone(),
            given,
        };
        self.writer.run(give).await
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        self.writer.run(ReleaseBatches).await?;
        let at = timestamp::now();
        self.writer.run(Recover { at, lost_by: None }).await
    }

    async fn renew_leases(&self, node: &str, lease: Duration) -> Result<Vec<HeldTurn>, StoreError> {
        let renew = RenewLeases {
            node: node.to_owned(),
            lease,
        };
        self.writer.run(renew).await
    }

    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError> {
        let lost_by = Some(timestamp::now());
        self.writer.run(Recover { at, lost_by }).await
    }

    async fn forget_sent(
        &self,
        deleted_before: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let forget = ForgetSent {
            deleted_before,
            limit,
        };
        self.writer.run(forget).await
    }

    async fn settings(&self, worker: &WorkerKey) -> Result<Vec<StoredSetting>, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| reading.settings(worker).await;
        self.readers.read("read the settings", read).await
    }

    async fn put_settings(
        &self,
        worker: &WorkerKey,
        settings: Vec<StoredSetting>,
    ) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let put = PutSettings {
            worker: worker.clone(),
            settings,
        };
        self.writer.run(put).await
    }

    async fn remove_setting(&self, worker: &WorkerKey, field_id: &str) -> Result<(), StoreError> {
        let remove = RemoveSetting {
            worker: worker.clone(),
            field_id: field_id.to_owned(),
        };
        self.writer.run(remove).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.readers.ping().await
    }

    async fn close(&self) {
        // The readers close first, because the last connection empties the log and removes it.
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[async_trait]
impl OutboxStore for SqliteStore {
    fn keep_outbox(&self, filter: Option<AnalyticsFilter>) {
        self.outbox.set(filter);
    }

    async fn append_outbox(&self, events: Vec<AnalyticsEvent>) -> Result<(), StoreError> {
        let rows = self.outbox.rows(&events)?;
        if rows.is_empty() {
            return Ok(());
        }
        self.writer.run(AppendOutbox(rows)).await
    }

    async fn claim_batch(&self, claim: &BatchClaim) -> Result<Option<OutboxBatch>, StoreError> {
        self.writer.run(ClaimBatch(claim.clone())).await
    }

    async fn remove_batch(&self, batch_id: &str) -> Result<(), StoreError> {
        self.writer.run(RemoveBatch(batch_id.to_owned())).await
    }

    async fn retry_batch(
        &self,
        node: &str,
        batch_id: &str,
        wait: Duration,
    ) -> Result<(), StoreError> {
        let retry = RetryBatch {
            node: node.to_owned(),
            batch_id: batch_id.to_owned(),
            wait,
        };
        self.writer.run(retry).await
    }

    async fn trim_outbox(&self, limit: usize) -> Result<usize, StoreError> {
        self.writer.run(TrimOutbox(limit)).await
    }
}

#[async_trait]
impl NodeStore for SqliteStore {
    async fn report_node(&self, report: &NodeReport, lease: Duration) -> Result<(), StoreError> {
        let report = report.clone();
        self.writer.run(ReportNode { report, lease }).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.writer.run(ListNodes).await
    }

    async fn remove_node(&self, id: &str) -> Result<(), StoreError> {
        self.writer.run(RemoveNode(id.to_owned())).await
    }

    async fn remove_dead_nodes(&self, dead_for: Duration) -> Result<(), StoreError> {
        self.writer.run(RemoveDeadNodes(dead_for)).await
    }
}
