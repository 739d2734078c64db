//! The store in a PostgreSQL database.

use super::PostgresOptions;
use super::migrate::{MIGRATIONS, MigrateError, migrate};
use super::nodes;
use super::outbox;
use super::settings;
use super::statements::Statements;
use super::time::lease_micros;
use crate::cipher::CipherKey;
use crate::protocol::{AnalyticsEvent, timestamp};
use crate::store::outbox::OutboxSwitch;
use crate::store::postgres::connect::connection::connect;
use crate::store::postgres::connect::error::into_store_error;
use crate::store::postgres::connect::hint::explained;
use crate::store::postgres::connect::limit::{LAST_TRY, Limit};
use crate::store::postgres::connect::statement::query;
use crate::store::postgres::read::readers::{PgReading, Readers};
use crate::store::postgres::write::operations::{CancelTurn, Expire, GiveFeedback};
use crate::store::postgres::write::writer::Writer;
use crate::store::rules::place_of;
use crate::store::sql::{Columns, RowError, ThreadOperation, held_turn, sql_store, thread_place};
use crate::store::{
    AnalyticsFilter, BatchClaim, Cancel, Cancelled, HeldTurn, NodeInfo, NodeReport, NodeStore,
    OutboxBatch, OutboxStore, Recovered, SharedDatabase, StoreError, StoredSetting, WorkerKey,
};
use async_trait::async_trait;
use futures::future::{join, join_all};
use sqlx::Connection;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// The limit for the answer to a [`ping`](crate::store::Store::ping).
const PING: Duration = Duration::from_secs(2);

/// A store in a PostgreSQL database, which several processes may share.
///
/// A method returns when its changes are committed. While the database is unavailable, methods wait for it up to
/// [`PostgresOptions::connect_timeout`], and then return [`StoreError::Unavailable`]. If the database is silent, a
/// running statement is abandoned after [`PostgresOptions::statement_timeout`].
#[derive(Debug)]
pub struct PostgresStore {
    options: PostgresOptions,
    writer: Writer,
    readers: Readers,
    outbox: OutboxSwitch,
    node_key: CipherKey,
}

impl crate::store::OwnStore for PostgresStore {}

impl PostgresStore {
    /// Opens the store, and creates its tables if they do not exist.
    ///
    /// # Errors
    ///
    /// `Open` if the database cannot be used. The database is unchanged, and the text says why and what to do.
    pub async fn open(options: PostgresOptions) -> Result<Self, StoreError> {
        prepare(&options, options.auto_migrate).await?;
        let sql = Arc::new(Statements::new(&options.table_prefix));
        let outbox = OutboxSwitch::default();
        let writer = Writer::start(&options, Arc::clone(&sql), outbox.clone()).await;
        let writer = writer.map_err(|error| cannot_reach(&options, &error))?;
        let readers = Readers::new(&options, sql);
        // Removes the rows of writers that ended long ago.
        readers
            .execute("remove old writers", |sql| query(&sql.own.remove_writers))
            .await?;
        let node_key = read_node_key(&readers).await?;
        Ok(Self {
            options,
            writer,
            readers,
            outbox,
            node_key,
        })
    }

    /// Creates or updates the tables, regardless of [`PostgresOptions::auto_migrate`]. Several processes may call this
    /// at once.
    ///
    /// # Errors
    ///
    /// As [`open`](PostgresStore::open).
    pub async fn migrate(options: &PostgresOptions) -> Result<(), StoreError> {
        prepare(options, true).await
    }
}

async fn read_node_key(readers: &Readers) -> Result<CipherKey, StoreError> {
    const WHAT: &str = "read the key of the messages between processes";
    let rows = readers
        .execute(WHAT, |sql| query(&sql.own.node_key))
        .await?;
    let key = || -> Result<CipherKey, RowError> {
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let key = CipherKey::from_hex(row.text(0)?);
        Ok(key.ok_or("the key is not 64 hexadecimal digits")?)
    };
    key().map_err(|error| into_store_error(error, WHAT))
}

async fn prepare(options: &PostgresOptions, is_allowed: bool) -> Result<(), StoreError> {
    let fail = |error: MigrateError| cannot_open(options, error);
    options.check().map_err(|why| cannot_open(options, why))?;
    let connecting = Limit::of_connecting(options.connect_limit());
    let mut connection = connect(&options.direct_options().into(), connecting)
        .await
        .map_err(|error| cannot_reach(options, &error.into()))?;
    migrate(&mut connection, options, MIGRATIONS, is_allowed)
        .await
        .map_err(fail)?;
    // An error while closing does not matter, because the migrations are complete.
    let _ = Limit::fixed(LAST_TRY).on(connection.close()).await;
    Ok(())
}

/// Returns the error for a database that cannot be reached, with advice.
fn cannot_reach(options: &PostgresOptions, error: &RowError) -> StoreError {
    let Some(error) = error.downcast_ref() else {
        return cannot_open(options, error);
    };
    cannot_open(options, explained(error))
}

/// Returns the error for a database that cannot be opened. `why` is one sentence.
fn cannot_open(options: &PostgresOptions, why: impl Display) -> StoreError {
    let connect = options.connect_options();
    StoreError::Open(format!(
        "cannot open the database `{}` on `{}`: {why}",
        connect.get_database().unwrap_or(connect.get_username()),
        connect.get_host()
    ))
}

sql_store! {
    PostgresStore, PgReading;

    async fn cancel_turn(
        &self,
        scope: Option<&Scope>,
        cancel: &Cancel,
    ) -> Result<Cancelled, StoreError> {
        let find = async |mut reading: Reading<'_, PgReading>| {
            let places = reading.places_of(scope, &cancel.target);
            places.await
        };
        let mut is_found = false;
        for (place, thread_id) in self.readers.read("cancel a turn", find).await? {
            let cancel = CancelTurn {
                scope: scope.unwrap_or(&place).clone(),
                thread_id,
                cancel: cancel.clone(),
            };
            match self.writer.run(cancel).await {
                Err(StoreError::NotFound(_)) => {}
                // Another thread may have a run with this id that has not ended.
                Ok(Cancelled::Ended) => is_found = true,
                other => return other,
            }
        }
        if is_found {
            return Ok(Cancelled::Ended);
        }
        Err(cancel.target.not_found())
    }

    async fn give_feedback(
        &self,
        scope: &Scope,
        given: NewFeedback,
    ) -> Result<GivenFeedback, StoreError> {
        let thread_ids = match place_of(&given.target) {
            None => vec![given.target.id().to_owned()],
            Some(target) => {
                let find = async |mut reading: Reading<'_, PgReading>| {
                    reading.places_of(Some(scope), &target).await
                };
                let places = self.readers.read(GiveFeedback::WHAT, find).await?.into_iter();
                places.map(|(_, thread_id)| thread_id).collect()
            }
        };
        for thread_id in thread_ids {
            let give = GiveFeedback {
                scope: scope.clone(),
                thread_id,
                given: given.clone(),
            };
            match self.writer.run(give).await {
                Err(StoreError::NotFound(_)) => {}
                other => return other,
            }
        }
        Err(given.not_found())
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
        let held: Result<_, RowError> = rows.iter().map(held_turn).collect();
        held.map_err(|error| into_store_error(error, WHAT))
    }

    fn may_lose_answers(&self) -> bool {
        true
    }

    fn shared_database(&self) -> Option<SharedDatabase<'_>> {
        Some(SharedDatabase {
            options: &self.options,
            node_key: &self.node_key,
        })
    }

    async fn settled(&self) -> Result<(), StoreError> {
        self.writer.settled().await
    }

    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError> {
        const WHAT: &str = "find the turns of stopped processes";
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
            let operation = lost().map_err(|error: RowError| into_store_error(error, WHAT))?;
            expire.push(self.writer.run(operation));
        }
        let mut recovered = Recovered::default();
        let mut failed = None;
        for outcome in join_all(expire).await {
            match outcome {
                Ok((interrupted, waiting)) => recovered.add(interrupted, waiting),
                // The thread was deleted in the meantime.
                Err(StoreError::NotFound(_)) => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            // Changes that were made must be returned. The remaining turns are found by the next call.
            Some(error) if recovered.changes.is_empty() => Err(error),
            _ => Ok(recovered),
        }
    }

    async fn forget_sent(
        &self,
        deleted_before: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError> {
        const WHAT: &str = "remove the messages of deleted threads";
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let readers = &self.readers;
        let mark = |sql: &Statements| query(&sql.own.mark_sent_ahead);
        readers.execute(WHAT, mark).await?;
        let participants = |sql: &Statements| query(&sql.own.forget_participants).bind(limit);
        readers.execute(WHAT, participants).await?;
        let sent = |sql: &Statements| query(&sql.own.forget_sent).bind(deleted_before).bind(limit);
        Ok(readers.execute(WHAT, sent).await?.len())
    }

    async fn settings(&self, worker: &WorkerKey) -> Result<Vec<StoredSetting>, StoreError> {
        settings::read(&self.readers, worker).await
    }

    async fn setting_versions(
        &self,
        workers: &[WorkerKey],
    ) -> Result<HashMap<WorkerKey, u64>, StoreError> {
        settings::versions(&self.readers, workers).await
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

    async fn ping(&self) -> Result<(), StoreError> {
        self.readers.ping(PING).await
    }

    async fn close(&self) {
        // Both close at the same time, because one of them may not finish in time.
        join(self.writer.close(), self.readers.close()).await;
    }
}

#[async_trait]
impl OutboxStore for PostgresStore {
    fn keep_outbox(&self, filter: Option<AnalyticsFilter>) {
        self.outbox.set(filter);
    }

    async fn append_outbox(&self, events: Vec<AnalyticsEvent>) -> Result<(), StoreError> {
        let rows = self.outbox.rows(&events)?;
        if rows.is_empty() {
            return Ok(());
        }
        outbox::append(&self.readers, rows).await
    }

    async fn claim_batch(&self, claim: &BatchClaim) -> Result<Option<OutboxBatch>, StoreError> {
        outbox::claim(&self.readers, claim).await
    }

    async fn remove_batch(&self, batch_id: &str) -> Result<(), StoreError> {
        outbox::remove(&self.readers, batch_id).await
    }

    async fn retry_batch(
        &self,
        node: &str,
        batch_id: &str,
        wait: Duration,
    ) -> Result<(), StoreError> {
        outbox::retry(&self.readers, node, batch_id, wait).await
    }

    async fn trim_outbox(&self, limit: usize) -> Result<usize, StoreError> {
        outbox::trim(&self.readers, limit).await
    }
}

#[async_trait]
impl NodeStore for PostgresStore {
    async fn report_node(&self, report: &NodeReport, lease: Duration) -> Result<(), StoreError> {
        let reported = nodes::report(&self.readers, report, lease).await?;
        reported.map_err(|error| cannot_open(&self.options, error))
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        nodes::list(&self.readers).await
    }

    async fn remove_node(&self, id: &str) -> Result<(), StoreError> {
        nodes::remove(&self.readers, id).await
    }

    async fn remove_dead_nodes(&self, dead_for: Duration) -> Result<(), StoreError> {
        nodes::remove_dead(&self.readers, dead_for).await
    }
}
