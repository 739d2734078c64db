//! The connections that read.

use super::SqliteOptions;
use super::away::{answer, told};
use super::statements::Statements;
use super::watch::Watch;
use crate::store::StoreError;
use crate::store::sql::{Parameter, ReadTransaction, Reading, RowError, Stop, json};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow,
};
use sqlx::{ConnectOptions, Sqlite, Transaction};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Maximum time to wait for an existing connection while no new ones are opened.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Pause between two attempts to get such a connection.
const PAUSE: Duration = Duration::from_millis(5);

/// The connections that read.
#[derive(Debug)]
pub(super) struct Readers {
    pool: SqlitePool,
    sql: Arc<Statements>,
    watch: Arc<Watch>,
}

/// Creates a query. SQL text reaches sqlx only through this function.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of this crate, rendered with a `TablePrefix`, which contains only a name"
)]
fn query(sql: &Arc<str>) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
    sqlx::query(sqlx::AssertSqlSafe(Arc::clone(sql)))
}

impl Readers {
    /// Opens the connections to an existing database.
    pub(super) async fn open(
        watch: Arc<Watch>,
        options: &SqliteOptions,
        sql: Arc<Statements>,
    ) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(watch.path())
            .read_only(true)
            .busy_timeout(options.busy_timeout)
            .pragma("cache_size", "-4096")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(options.readers)
            .test_before_acquire(false)
            .after_connect({
                let watch = Arc::clone(&watch);
                // Another file may have replaced the database.
                move |_, _| {
                    watch.look();
                    let gone = watch
                        .refusal()
                        .map(|gone| Err(io::Error::other(gone).into()));
                    Box::pin(std::future::ready(gone.unwrap_or(Ok(()))))
                }
            })
            .connect_with(connection)
            .await?;
        Ok(Self { pool, sql, watch })
    }

    /// Waits for running reads and closes the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Returns the number of statements that this store has executed.
    #[cfg(test)]
    pub(super) fn executed(&self) -> usize {
        self.sql.executed.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Reads in one transaction, which ends when the [`Reading`] is dropped.
    pub(super) async fn read<T>(
        &self,
        what: &'static str,
        read: impl AsyncFnOnce(Reading<'_, SqliteReading>) -> Result<T, Stop>,
    ) -> Result<T, StoreError> {
        let all = async {
            let transaction = SqliteReading {
                transaction: self.begin().await?,
                #[cfg(test)]
                sql: Arc::clone(&self.sql),
            };
            read(Reading::new(transaction, &self.sql.reads)).await
        };
        all.await.map_err(|stop| answer(stop, what))
    }

    /// Begins a transaction. While the database's file is missing, existing connections are still used, but new ones
    /// are not opened.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, RowError> {
        let Some(gone) = self.watch.refusal() else {
            return Ok(self.pool.begin().await?);
        };
        let end = Instant::now() + LONGEST_WAIT;
        loop {
            if let Some(begun) = self.pool.try_begin().await? {
                return Ok(begun);
            }
            // All existing connections may be in use.
            if self.pool.size() == 0 || Instant::now() >= end {
                return Err(gone.into());
            }
            sleep(PAUSE).await;
        }
    }

    /// Checks that the database can be read and, as far as is known, written.
    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        let ask = async {
            if let Some(trouble) = self.watch.trouble() {
                return Err(trouble.into());
            }
            query(&self.sql.writes.ping).execute(&self.pool).await?;
            Ok(())
        };
        ask.await.map_err(|error: RowError| {
            // If a file is missing, the writer knows it as soon as the caller does.
            self.watch.look();
            told(error, "answer")
        })
    }
}

/// A read transaction.
#[derive(Debug)]
pub(super) struct SqliteReading {
    transaction: Transaction<'static, Sqlite>,
    #[cfg(test)]
    sql: Arc<Statements>,
}

impl ReadTransaction for SqliteReading {
    type Row = SqliteRow;

    async fn rows(
        &mut self,
        sql: &Arc<str>,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<SqliteRow>, RowError> {
        #[cfg(test)]
        self.sql.count();
        let mut query = query(sql);
        for parameter in parameters {
            query = match parameter {
                Parameter::Text(text) => query.bind(text),
                Parameter::Filter(filter) => query.bind(filter),
                Parameter::AnyOf(admitted) => query.bind(json(&admitted)?),
                Parameter::Number(number) => query.bind(number),
                Parameter::Time(micros) => query.bind(micros),
            };
        }
        Ok(query.fetch_all(&mut *self.transaction).await?)
    }
}
