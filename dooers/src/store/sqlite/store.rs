//! The store itself.

use super::SqliteOptions;
use super::open::{Opened, cannot_open, open};
use super::operations::{CancelTurn, PutSettings, Recover, RemoveSetting, RenewLeases};
use super::readers::{Readers, SqliteReading};
use super::statements::Statements;
use super::writer::Writer;
use crate::protocol::timestamp;
use crate::store::sql::sql_store;
use crate::store::{Cancel, Cancelled, HeldTurn, Recovered, StoreError, StoredSetting, WorkerKey};
use std::sync::Arc;
use std::time::Duration;

/// A store in a SQLite file.
///
/// Only one process has a file open at a time: a lock on a second file beside it, whose name ends in `-lock`, sees to
/// it. What a method reports as done has reached the disk.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the store, and makes the file and its tables if they are missing.
    ///
    /// # Errors
    ///
    /// `Open`, if the file cannot be used. The file is as it was then, and the text says why and what to do.
    pub async fn open(options: SqliteOptions) -> Result<Self, StoreError> {
        let sql = Arc::new(Statements::new(&options.table_prefix));
        let (writer_options, writer_sql) = (options.clone(), Arc::clone(&sql));
        let opening = tokio::task::spawn_blocking(move || open(&writer_options, writer_sql));
        let Opened {
            database,
            lock,
            path,
        } = opening
            .await
            .map_err(|error| cannot_open(&options.path, error))??;
        let writer =
            Writer::start(database, lock).map_err(|error| cannot_open(&options.path, error))?;
        let readers = Readers::open(&path, &options, sql)
            .await
            .map_err(|error| cannot_open(&options.path, error))?;
        Ok(Self { writer, readers })
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

    async fn recover(&self) -> Result<Recovered, StoreError> {
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
        // The readers first: the last connection that is closed empties the log and removes it.
        self.readers.close().await;
        self.writer.close().await;
    }
}
