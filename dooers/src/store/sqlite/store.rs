//! The store itself.

use super::SqliteOptions;
use super::open::{Opened, cannot_open, open};
use super::operations::{
    Begin, CancelTurn, ClaimTurn, DeleteThread, FinishTurn, PutSettings, Recover, RenewLeases,
    RetryTurn, WriteTurn,
};
use super::readers::{Readers, SqliteReading};
use super::statements::Statements;
use super::writer::Writer;
use crate::protocol::{ThreadEvent, timestamp};
use crate::store::sql::Reading;
use crate::store::{
    Begun, Cancel, Cancelled, CatchUp, Change, Claim, EventPage, EventQuery, HeldTurn, NewMessage,
    Position, Recovered, Scope, Snapshot, SnapshotFrom, Start, Store, StoreError, StoredSetting,
    ThreadCursor, ThreadPage, ThreadRecord, TurnChange, TurnKey, WorkerKey, Written,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
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

#[async_trait]
impl Store for SqliteStore {
    async fn begin_turn(
        &self,
        scope: &Scope,
        message: NewMessage,
        start: &Start,
    ) -> Result<Begun, StoreError> {
        let begin = Begin {
            scope: scope.clone(),
            new: message,
            start: start.clone(),
        };
        self.writer.run(begin).await
    }

    async fn claim_turn(
        &self,
        scope: &Scope,
        thread_id: &str,
        start: &Start,
    ) -> Result<Option<Claim>, StoreError> {
        let claim = ClaimTurn {
            scope: scope.clone(),
            thread_id: thread_id.to_owned(),
            start: start.clone(),
        };
        self.writer.run(claim).await
    }

    async fn write_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
    ) -> Result<Vec<Change>, StoreError> {
        let write = WriteTurn {
            scope: scope.clone(),
            turn: turn.clone(),
            changes,
        };
        self.writer.run(write).await
    }

    async fn finish_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        next: Option<&Start>,
    ) -> Result<Written, StoreError> {
        let finish = FinishTurn {
            scope: scope.clone(),
            turn: turn.clone(),
            changes,
            next: next.cloned(),
        };
        self.writer.run(finish).await
    }

    async fn retry_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        not_before: DateTime<Utc>,
    ) -> Result<Vec<Change>, StoreError> {
        let retry = RetryTurn {
            scope: scope.clone(),
            turn: turn.clone(),
            changes,
            not_before,
        };
        self.writer.run(retry).await
    }

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
        self.writer.run(Recover { at, by: None }).await
    }

    async fn renew_leases(&self, node: &str, lease: Duration) -> Result<Vec<HeldTurn>, StoreError> {
        let renew = RenewLeases {
            node: node.to_owned(),
            lease,
        };
        self.writer.run(renew).await
    }

    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError> {
        let by = Some(timestamp::now());
        self.writer.run(Recover { at, by }).await
    }

    async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError> {
        let read =
            async |mut reading: Reading<'_, SqliteReading>| reading.thread(scope, thread_id).await;
        let thread = self.readers.read("read a thread", read).await?;
        Ok(thread.record)
    }

    async fn threads(
        &self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: usize,
    ) -> Result<ThreadPage, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.threads(scope, after, limit).await
        };
        self.readers.read("list threads", read).await
    }

    async fn snapshot(
        &self,
        scope: &Scope,
        thread_id: &str,
        from: &SnapshotFrom,
    ) -> Result<Snapshot, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.snapshot(scope, thread_id, from).await
        };
        self.readers.read("read a thread", read).await
    }

    async fn events(
        &self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            let page = reading.events(scope, thread_id, before_event_id, limit);
            page.await
        };
        self.readers.read("list events", read).await
    }

    async fn find_events(
        &self,
        scope: &Scope,
        thread_id: &str,
        query: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.find(scope, thread_id, query).await
        };
        self.readers.read("find events", read).await
    }

    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: usize,
    ) -> Result<CatchUp, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            let missed = reading.catch_up(scope, thread_id, position, limit);
            missed.await
        };
        self.readers.read("read what changed", read).await
    }

    async fn delete_thread(&self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError> {
        let delete = DeleteThread {
            scope: scope.clone(),
            thread_id: thread_id.to_owned(),
        };
        self.writer.run(delete).await
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

    async fn setting_keys(&self) -> Result<Vec<String>, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| reading.setting_keys().await;
        self.readers.read("read the settings' keys", read).await
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
