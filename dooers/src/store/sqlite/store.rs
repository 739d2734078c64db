//! The store itself.

use super::SqliteOptions;
use super::edits::RemoveSetting;
use super::open::{Opened, cannot_open, open};
use super::operations::{CancelTurn, PutSettings, Recover, RenewLeases};
use super::readers::{Readers, SqliteReading};
use super::statements::Statements;
use super::writer::Writer;
use crate::protocol::{Run, Thread, ThreadEvent, timestamp};
use crate::store::sql::{
    Begin, ClaimTurn, CreateThread, DeleteThread, EditThread, FinishTurn, Reading, RetryTurn,
    WriteTurn,
};
use crate::store::{
    Begun, Cancel, Cancelled, CatchUp, Change, Claim, Edited, EventPage, EventQuery, HeldTurn,
    NewMessage, PageLimit, Position, Recovered, Retried, RunQuery, Scope, Snapshot, SnapshotFrom,
    Start, Store, StoreError, StoredSetting, ThreadCursor, ThreadDraft, ThreadEdit, ThreadPage,
    ThreadQuery, ThreadRecord, TurnChange, TurnKey, WorkerKey, Written,
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
    ) -> Result<Retried, StoreError> {
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
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.threads(scope, after, limit).await
        };
        self.readers.read("list threads", read).await
    }

    async fn find_threads(
        &self,
        scope: &Scope,
        query: &ThreadQuery,
    ) -> Result<Vec<Thread>, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.find_threads(scope, query).await
        };
        self.readers.read("find threads", read).await
    }

    async fn snapshot(
        &self,
        scope: &Scope,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.snapshot(scope, thread_id, from, bytes).await
        };
        self.readers.read("read a thread", read).await
    }

    async fn events(
        &self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: PageLimit,
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
            reading.find_events(scope, thread_id, query).await
        };
        self.readers.read("find events", read).await
    }

    async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.event(scope, thread_id, event_id).await
        };
        self.readers.read("read an event", read).await
    }

    async fn find_runs(&self, scope: &Scope, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        let read =
            async |mut reading: Reading<'_, SqliteReading>| reading.find_runs(scope, query).await;
        self.readers.read("find runs", read).await
    }

    async fn run(&self, scope: &Scope, thread_id: &str, run_id: &str) -> Result<Run, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            reading.run(scope, thread_id, run_id).await
        };
        self.readers.read("read a run", read).await
    }

    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: PageLimit,
    ) -> Result<CatchUp, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| {
            let missed = reading.catch_up(scope, thread_id, position, limit);
            missed.await
        };
        self.readers.read("read what changed", read).await
    }

    async fn create_thread(&self, scope: &Scope, draft: ThreadDraft) -> Result<Change, StoreError> {
        let create = CreateThread {
            scope: scope.clone(),
            draft,
        };
        self.writer.run(create).await
    }

    async fn edit_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Edited, StoreError> {
        let edit = EditThread {
            scope: scope.clone(),
            thread_id: thread_id.to_owned(),
            edit,
        };
        self.writer.run(edit).await
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

    async fn remove_setting(&self, worker: &WorkerKey, field_id: &str) -> Result<(), StoreError> {
        let remove = RemoveSetting {
            worker: worker.clone(),
            field_id: field_id.to_owned(),
        };
        self.writer.run(remove).await
    }

    async fn setting_keys(&self) -> Result<Vec<String>, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| reading.setting_keys().await;
        self.readers.read("read the settings' keys", read).await
    }

    async fn turn_keys(&self) -> Result<Vec<String>, StoreError> {
        let read = async |mut reading: Reading<'_, SqliteReading>| reading.turn_keys().await;
        self.readers.read("read the turns' keys", read).await
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
