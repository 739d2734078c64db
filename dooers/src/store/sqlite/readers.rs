//! The connections that read beside the writer.

use super::SqliteOptions;
use super::statements::Statements;
use crate::store::StoreError;
use crate::store::sql::{Parameter, ReadTransaction, Reading, RowError, Stop, json};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow,
};
use sqlx::{ConnectOptions, Sqlite, Transaction};
use std::path::Path;
use std::sync::Arc;

/// The connections that read.
#[derive(Debug)]
pub(super) struct Readers {
    pool: SqlitePool,
    sql: Arc<Statements>,
}

/// The only way in which SQL text reaches sqlx.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a literal of ours, rendered with a `TablePrefix`, which can hold nothing but a name"
)]
fn query(sql: &Arc<str>) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
    sqlx::query(sqlx::AssertSqlSafe(Arc::clone(sql)))
}

impl Readers {
    /// Opens the connections to a database that is there.
    pub(super) async fn open(
        path: &Path,
        options: &SqliteOptions,
        sql: Arc<Statements>,
    ) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(options.busy_timeout)
            .pragma("cache_size", "-4096")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(options.readers)
            .test_before_acquire(false)
            .connect_with(connection)
            .await?;
        Ok(Self { pool, sql })
    }

    /// Waits for the readers that are under way, and closes the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Reads in one transaction. It ends when the [`Reading`] is dropped.
    pub(super) async fn read<T>(
        &self,
        what: &'static str,
        read: impl AsyncFnOnce(Reading<'_, SqliteReading>) -> Result<T, Stop>,
    ) -> Result<T, StoreError> {
        let all = async {
            let transaction = SqliteReading(self.pool.begin().await?);
            read(Reading::new(transaction, &self.sql.reads)).await
        };
        all.await.map_err(|stop| stop.told(what))
    }

    /// Asks whether the database can be read.
    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        let answered = query(&self.sql.writes.ping).execute(&self.pool).await;
        answered.map_err(|error| Stop::from(error).told("answer"))?;
        Ok(())
    }
}

/// A transaction of a reader.
#[derive(Debug)]
pub(super) struct SqliteReading(Transaction<'static, Sqlite>);

impl ReadTransaction for SqliteReading {
    type Row = SqliteRow;

    async fn rows(
        &mut self,
        sql: &Arc<str>,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<SqliteRow>, RowError> {
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
        Ok(query.fetch_all(&mut *self.0).await?)
    }
}
