//! The store itself.

use super::SqliteOptions;
use super::open::{Opened, cannot_open, open};
use super::operations::{CancelTurn, ForgetSent, PutSettings, Recover, RemoveSetting, RenewLeases};
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
/// What a method reports as done has reached the disk. Only one process has a file open at a time: on Linux whatever the
/// name by which it is opened, elsewhere by the name of a lock file beside it, which ends in `-lock`. A file with several
/// names (hard links) is refused, because SQLite keeps another log for each name. Files that are made can be read by their
/// owner only; SQLite's own files beside the database have the mode of the database.
///
/// # Trouble
///
/// While the disk is full or broken, or another program keeps the file locked, methods that write are refused as
/// [`StoreError::Unavailable`], and [`ping`](crate::store::Store::ping) fails. Twice a second the store tries to write again.
///
/// The same happens within a second after a file of the database was removed, moved or replaced. If the file comes back,
/// the store goes on; another file in its place is never used. What was stored between the removal of a file and the
/// moment at which that is noticed is lost with the removed file. After a move, the moved file has it.
///
/// # What is deleted
///
/// SQLite overwrites what is deleted with zeros (`secure_delete`). When a setting is removed, a secret sealed that was
/// stored as it was typed, or the ids of users of a deleted thread forgotten, the write-ahead log is emptied as well. What an
/// earlier version deleted may still be found in the file until `VACUUM` is run on it while the server is stopped. Copies
/// that the file system or backups keep are not reached.
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
            watch,
        } = opening
            .await
            .map_err(|error| cannot_open(&options.path, error))??;
        let writer =
            Writer::start(database, lock).map_err(|error| cannot_open(&options.path, error))?;
        let readers = Readers::open(watch, &options, sql)
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
        // The readers first: the last connection that is closed empties the log and removes it.
        self.readers.close().await;
        self.writer.close().await;
    }
}
