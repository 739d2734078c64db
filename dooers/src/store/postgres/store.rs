//! The store itself.

use super::PostgresOptions;
use super::advice::{advice, said};
use super::connect::{connect, query, told};
use super::migrate::{MIGRATIONS, MigrateError, migrate};
use super::operations::{CancelTurn, Expire};
use super::readers::{PgReading, Readers};
use super::settings;
use super::statements::Statements;
use super::time::lease_micros;
use super::writer::Writer;
use crate::protocol::{Run, Thread, ThreadEvent, timestamp};
use crate::store::sql::{
    Begin, ClaimTurn, Columns, CreateThread, DeleteThread, EditThread, FinishTurn, Reading,
    RetryTurn, RowError, WriteTurn, thread_place,
};
use crate::store::{
    Begun, Cancel, Cancelled, CatchUp, Change, Claim, Edited, EventPage, EventQuery, HeldTurn,
    NewMessage, PageLimit, Position, Recovered, Retried, RunQuery, Scope, Snapshot, SnapshotFrom,
    Start, Store, StoreError, StoredSetting, ThreadCursor, ThreadDraft, ThreadEdit, ThreadPage,
    ThreadQuery, ThreadRecord, TurnChange, TurnKey, WorkerKey, Written,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::future::{join, join_all};
use sqlx::Connection;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// How long [`ping`](Store::ping) waits for an answer.
const PING: Duration = Duration::from_secs(2);

/// A store in a PostgreSQL database, which several processes may share.
///
/// What a method reports as done is committed. While the database is away, methods wait for it as long as
/// [`PostgresOptions::connect_timeout`] says, and are refused as [`StoreError::Unavailable`] then.
#[derive(Debug)]
pub struct PostgresStore {
    writer: Writer,
    readers: Readers,
}

impl PostgresStore {
    /// Opens the store, and makes its tables if they are missing.
    ///
    /// # Errors
    ///
    /// `Open`, if the database cannot be used. It is as it was then, and the text says why and what to do.
    pub async fn open(options: PostgresOptions) -> Result<Self, StoreError> {
        prepare(&options, options.auto_migrate).await?;
        let sql = Arc::new(Statements::new(&options.table_prefix));
        let writer = Writer::start(&options, Arc::clone(&sql)).await;
        let writer = writer.map_err(|error| cannot_reach(&options, &error))?;
        let readers = Readers::new(&options, sql);
        // What processes left that are long dead.
        readers
            .execute("tidy up", |sql| query(&sql.own.remove_writers))
            .await?;
        Ok(Self { writer, readers })
    }

    /// Makes the tables, or brings them up to date, whatever [`PostgresOptions::auto_migrate`] says. Several processes may do
    /// so at once.
    ///
    /// # Errors
    ///
    /// As [`open`](PostgresStore::open).
    pub async fn migrate(options: &PostgresOptions) -> Result<(), StoreError> {
        prepare(options, true).await
    }
}

async fn prepare(options: &PostgresOptions, is_allowed: bool) -> Result<(), StoreError> {
    let fail = |error: MigrateError| cannot_open(options, error);
    options.check().map_err(|why| cannot_open(options, why))?;
    let mut connection = connect(&options.direct_options(), options.patience())
        .await
        .map_err(|error| cannot_reach(options, &error.into()))?;
    migrate(
        &mut connection,
        &options.table_prefix,
        MIGRATIONS,
        is_allowed,
    )
    .await
    .map_err(fail)?;
    // It has done its work.
    let _ = connection.close().await;
    Ok(())
}

/// Why a database cannot be reached, and what to do.
fn cannot_reach(options: &PostgresOptions, error: &RowError) -> StoreError {
    let Some(error) = error.downcast_ref() else {
        return cannot_open(options, error);
    };
    match advice(error) {
        Some(advice) => cannot_open(options, format!("{}; {advice}", said(error))),
        None => cannot_open(options, said(error)),
    }
}

/// Why a database cannot be opened, in one sentence.
fn cannot_open(options: &PostgresOptions, why: impl Display) -> StoreError {
    let connect = options.connect_options();
    StoreError::Open(format!(
        "cannot open the database `{}` on `{}`: {why}",
        connect.get_database().unwrap_or(connect.get_username()),
        connect.get_host()
    ))
}

#[async_trait]
impl Store for PostgresStore {
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
        let find = async |mut reading: Reading<'_, PgReading>| {
            let places = reading.places_of(&cancel.target);
            places.await
        };
        for (place, thread_id) in self.readers.read("cancel a turn", find).await? {
            let cancel = CancelTurn {
                scope: scope.unwrap_or(&place).clone(),
                thread_id,
                cancel: cancel.clone(),
            };
            match self.writer.run(cancel).await {
                Err(StoreError::NotFound(_)) => {}
                other => return other,
            }
        }
        Err(cancel.target.not_found())
    }

    async fn recover(&self) -> Result<Recovered, StoreError> {
        self.expire_leases(timestamp::now()).await
    }

    async fn renew_leases(&self, node: &str, lease: Duration) -> Result<Vec<HeldTurn>, StoreError> {
        const WHAT: &str = "renew leases";
        let renew = |sql: &Statements| {
            let statement = query(&sql.own.renew_leases).bind(node.to_owned());
            statement.bind(lease_micros(lease))
        };
        let rows = self.readers.execute(WHAT, renew).await?;
        let held = |row: &sqlx::postgres::PgRow| {
            Ok(HeldTurn {
                event_id: row.text(0)?.to_owned(),
                is_cancelled: row.number(1)? != 0,
            })
        };
        let held: Result<_, RowError> = rows.iter().map(held).collect();
        held.map_err(|error| told(error, WHAT))
    }

    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError> {
        const WHAT: &str = "look for turns of a stopped process";
        let find = |sql: &Statements| query(&sql.own.lost_turns);
        let rows = self.readers.execute(WHAT, find).await?;
        let mut expire = Vec::new();
        for row in &rows {
            let lost = || {
                let (scope, thread_id) = thread_place(row)?;
                Ok(Expire {
                    scope,
                    thread_id,
                    at,
                    by: row.time(5)?,
                })
            };
            let operation = lost().map_err(|error: RowError| told(error, WHAT))?;
            expire.push(self.writer.run(operation));
        }
        let mut recovered = Recovered::default();
        let mut failed = None;
        for outcome in join_all(expire).await {
            match outcome {
                Ok((interrupted, waiting)) => {
                    if let Some(interrupted) = interrupted {
                        recovered.interrupted += interrupted.failed;
                        recovered.retried += interrupted.retried;
                        recovered.changes.push(interrupted.changes);
                    }
                    recovered.waiting.extend(waiting);
                }
                // It was deleted meanwhile.
                Err(StoreError::NotFound(_)) => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            // What was done must be told; the rest is found the next time.
            Some(error) if recovered.changes.is_empty() => Err(error),
            _ => Ok(recovered),
        }
    }

    async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError> {
        let read =
            async |mut reading: Reading<'_, PgReading>| reading.thread(scope, thread_id).await;
        let thread = self.readers.read("read a thread", read).await?;
        Ok(thread.record)
    }

    async fn threads(
        &self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError> {
        let read =
            async |mut reading: Reading<'_, PgReading>| reading.threads(scope, after, limit).await;
        self.readers.read("list threads", read).await
    }

    async fn snapshot(
        &self,
        scope: &Scope,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, StoreError> {
        let read = async |mut reading: Reading<'_, PgReading>| {
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
        let read = async |mut reading: Reading<'_, PgReading>| {
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
        let read = async |mut reading: Reading<'_, PgReading>| {
            reading.find_events(scope, thread_id, query).await
        };
        self.readers.read("find events", read).await
    }

    async fn find_threads(
        &self,
        scope: &Scope,
        query: &ThreadQuery,
    ) -> Result<Vec<Thread>, StoreError> {
        let read =
            async |mut reading: Reading<'_, PgReading>| reading.find_threads(scope, query).await;
        self.readers.read("find threads", read).await
    }

    async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, StoreError> {
        let read = async |mut reading: Reading<'_, PgReading>| {
            reading.event(scope, thread_id, event_id).await
        };
        self.readers.read("read an event", read).await
    }

    async fn find_runs(&self, scope: &Scope, query: &RunQuery) -> Result<Vec<Run>, StoreError> {
        let read =
            async |mut reading: Reading<'_, PgReading>| reading.find_runs(scope, query).await;
        self.readers.read("find runs", read).await
    }

    async fn run(&self, scope: &Scope, thread_id: &str, run_id: &str) -> Result<Run, StoreError> {
        let read =
            async |mut reading: Reading<'_, PgReading>| reading.run(scope, thread_id, run_id).await;
        self.readers.read("read a run", read).await
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

    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: PageLimit,
    ) -> Result<CatchUp, StoreError> {
        let read = async |mut reading: Reading<'_, PgReading>| {
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
        settings::read(&self.readers, worker).await
    }

    async fn put_settings(
        &self,
        worker: &WorkerKey,
        settings: Vec<StoredSetting>,
    ) -> Result<Vec<DateTime<Utc>>, StoreError> {
        settings::put(&self.readers, worker, settings).await
    }

    async fn remove_setting(&self, worker: &WorkerKey, field_id: &str) -> Result<(), StoreError> {
        settings::remove(&self.readers, worker, field_id).await
    }

    async fn setting_keys(&self) -> Result<Vec<String>, StoreError> {
        let read = async |mut reading: Reading<'_, PgReading>| reading.setting_keys().await;
        self.readers.read("read the settings' keys", read).await
    }

    async fn turn_keys(&self) -> Result<Vec<String>, StoreError> {
        let read = async |mut reading: Reading<'_, PgReading>| reading.turn_keys().await;
        self.readers.read("read the turns' keys", read).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.readers.ping(PING).await
    }

    async fn close(&self) {
        // Side by side: one of them may not end in the time that there is.
        join(self.writer.close(), self.readers.close()).await;
    }
}
