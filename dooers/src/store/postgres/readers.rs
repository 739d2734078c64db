//! The connections that read.

use super::PostgresOptions;
use super::connect::{
    FIRST_PAUSE, LOCAL_SETTINGS, LONGEST_PAUSE, connect_options, is_lost, is_lost_row, is_race,
    query, told,
};
use super::statements::Statements;
use super::storable::is_storable;
use super::time::place_in_time;
use crate::store::StoreError;
use crate::store::sql::{Parameter, ReadTransaction, Reading, RowError, Stop, json};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Everything is read as it stood at one moment.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// The connections that read, and do what is one small statement.
#[derive(Debug)]
pub(super) struct Readers {
    pool: PgPool,
    connect: PgConnectOptions,
    sql: Arc<Statements>,
    begin: Arc<str>,
    is_pooled: bool,
    patience: Duration,
}

/// A transaction of a reader.
#[derive(Debug)]
pub(super) struct PgReading {
    transaction: Transaction<'static, Postgres>,
    is_pooled: bool,
}

impl Readers {
    /// Prepares the connections, which are made when they are needed.
    pub(super) fn new(options: &PostgresOptions, sql: Arc<Statements>) -> Self {
        let begin = if options.is_pooled() {
            format!("{BEGIN}; {LOCAL_SETTINGS}").into()
        } else {
            BEGIN.into()
        };
        let pool = PgPoolOptions::new()
            .max_connections(options.pool_size)
            .acquire_timeout(options.patience())
            .test_before_acquire(false)
            .connect_lazy_with(connect_options(options));
        Self {
            pool,
            connect: connect_options(options),
            sql,
            begin,
            is_pooled: options.is_pooled(),
            patience: options.patience(),
        }
    }

    /// Waits for the readers that are under way, and closes the connections.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Reads in one transaction. It ends when the [`Reading`] is dropped. If the database is away, it is done again for
    /// some time.
    pub(super) async fn read<T>(
        &self,
        what: &'static str,
        read: impl AsyncFnOnce(Reading<'_, PgReading>) -> Result<T, Stop> + Clone,
    ) -> Result<T, StoreError> {
        let end = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let all = async {
                let transaction = PgReading {
                    transaction: self.begin().await?,
                    is_pooled: self.is_pooled,
                };
                read.clone()(Reading::new(transaction, &self.sql.reads)).await
            };
            match all.await {
                Ok(read) => return Ok(read),
                Err(Stop::Refused(refusal)) => return Err(refusal),
                Err(Stop::Fault(error)) if is_lost_row(&error) && Instant::now() + pause < end => {}
                Err(Stop::Fault(error)) => return Err(told(error, what)),
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Executes one statement, which may be done again: if the answer is lost, it is.
    pub(super) async fn execute(
        &self,
        what: &'static str,
        statement: impl Fn(&Statements) -> Query,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.try_to(what, statement, |error| is_race(error) || is_lost(error))
            .await
    }

    /// Executes one statement that must not be done twice. If the answer is lost, the error is `Unavailable`, and it is for
    /// the caller to look whether it was done.
    pub(super) async fn execute_once(
        &self,
        what: &'static str,
        statement: impl Fn(&Statements) -> Query,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.try_to(what, statement, is_race).await
    }

    /// Executes one statement. After these errors, and if there is no connection for it, that is tried again for some time.
    async fn try_to(
        &self,
        what: &'static str,
        statement: impl Fn(&Statements) -> Query,
        may_repeat: fn(&sqlx::Error) -> bool,
    ) -> Result<Vec<PgRow>, StoreError> {
        let end = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let (error, is_repeated) = match self.pool.acquire().await {
                Err(error) if is_lost(&error) => (error, true),
                Err(error) => (error, false),
                Ok(mut connection) => {
                    let executed = self.execute_on(&mut connection, statement(&self.sql));
                    match executed.await {
                        Ok(rows) => return Ok(rows),
                        Err(error) => {
                            let is_repeated = may_repeat(&error);
                            (error, is_repeated)
                        }
                    }
                }
            };
            if !is_repeated || Instant::now() + pause >= end {
                return Err(told(error.into(), what));
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn execute_on(
        &self,
        connection: &mut PgConnection,
        statement: Query,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut local = super::connect::local(connection, self.is_pooled).await?;
        let rows = statement
            .persistent(!self.is_pooled)
            .fetch_all(local.connection())
            .await?;
        local.end().await?;
        Ok(rows)
    }

    /// Asks whether the database answers, now: nothing is tried twice, and no connection is waited for.
    pub(super) async fn ping(&self, at_most: Duration) -> Result<(), StoreError> {
        let ask = || query(&self.sql.own.ping).persistent(false);
        let all = async {
            if let Some(mut idle) = self.pool.try_acquire()
                && ask().execute(&mut *idle).await.is_ok()
            {
                return Ok(());
            }
            // None is idle, or that one was lost.
            let mut connection = PgConnection::connect_with(&self.connect).await?;
            ask().execute(&mut connection).await?;
            connection.close().await
        };
        let answer = timeout(at_most, all).await;
        let answer = answer.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        answer.map_err(|error| told(error.into(), "answer"))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the text is made of literals of ours"
    )]
    async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let begin = sqlx::AssertSqlSafe(Arc::clone(&self.begin));
        self.pool.begin_with(begin).await
    }
}

type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// Whether rows are looked for by a text that none can have.
fn is_of_nothing(parameter: &Parameter) -> bool {
    match parameter {
        Parameter::Text(text) | Parameter::Filter(Some(text)) => !is_storable(text),
        _ => false,
    }
}

/// Those of these texts that rows can have.
fn storable(mut texts: Vec<String>) -> Vec<String> {
    texts.retain(|text| is_storable(text));
    texts
}

impl ReadTransaction for PgReading {
    type Row = PgRow;

    async fn rows(
        &mut self,
        sql: &Arc<str>,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<PgRow>, RowError> {
        if parameters.iter().any(is_of_nothing) {
            return Ok(Vec::new());
        }
        let mut query = query(sql).persistent(!self.is_pooled);
        for parameter in parameters {
            query = match parameter {
                Parameter::Text(text) => query.bind(text),
                Parameter::Filter(filter) => query.bind(filter),
                Parameter::AnyOf(admitted) => query.bind(json(&admitted.map(storable))?),
                Parameter::Number(number) => query.bind(number),
                Parameter::Time(micros) => query.bind(place_in_time(micros)),
            };
        }
        Ok(query.fetch_all(&mut *self.transaction).await?)
    }
}
