//! The connections that read.

use super::pool::{Lent, Pool};
use crate::store::StoreError;
use crate::store::postgres::PostgresOptions;
use crate::store::postgres::connect::connection::{
    DriverOptions, FIRST_PAUSE, LONGEST_PAUSE, connect_options,
};
use crate::store::postgres::connect::error::{into_store_error, is_lost, is_lost_row, is_race};
use crate::store::postgres::connect::execution::Execution;
use crate::store::postgres::connect::limit::Limit;
use crate::store::postgres::connect::statement::{Query, execute_script, query};
use crate::store::postgres::statements::Statements;
use crate::store::postgres::storable::is_storable;
use crate::store::postgres::time::place_in_time;
use crate::store::sql::{Columns, Parameter, ReadTransaction, Reading, RowError, Stop, json};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// All statements of the transaction read the database as of one moment.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// The connections that read, and that execute single statements.
#[derive(Debug)]
pub(crate) struct Readers {
    pool: Pool,
    connect: DriverOptions,
    sql: Arc<Statements>,
    begin: Arc<str>,
    execution: Execution,
    connecting: Limit,
    longest_statement: Duration,
}

/// A read transaction.
#[derive(Debug)]
pub(crate) struct PgReading {
    connection: Lent,
    limit: Limit,
    is_persistent: bool,
}

impl Readers {
    /// Creates the pool. Connections are opened on demand.
    pub(crate) fn new(options: &PostgresOptions, sql: Arc<Statements>) -> Self {
        let execution = Execution::new(options);
        let connecting = Limit::of_connecting(options.connect_limit());
        let connect = connect_options(options);
        Self {
            pool: Pool::new(
                connect.clone(),
                options.pool_size,
                connecting,
                execution.limit(),
            ),
            connect,
            sql,
            begin: execution.begin(BEGIN),
            execution,
            connecting,
            longest_statement: options.longest_statement(),
        }
    }

    /// Waits for running reads and closes the connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Reads in one transaction, which ends when the [`Reading`] is dropped. If the database is unavailable, the read
    /// is repeated until the limit for connecting passes.
    pub(crate) async fn read<T>(
        &self,
        what: &'static str,
        read: impl AsyncFnOnce(Reading<'_, PgReading>) -> Result<T, Stop> + Clone,
    ) -> Result<T, StoreError> {
        let end = self.connecting.end();
        let mut pause = FIRST_PAUSE;
        loop {
            let all = async {
                let transaction = self.begin(end).await?;
                read.clone()(Reading::new(transaction, &self.sql.reads)).await
            };
            let error = match all.await {
                Ok(read) => return Ok(read),
                Err(Stop::Refused(refusal)) => return Err(refusal),
                Err(Stop::Fault(error)) => error,
            };
            if is_lost_row(&error) {
                self.pool.drop_idle();
            }
            if !is_lost_row(&error) || Instant::now() + pause >= end {
                return Err(into_store_error(error, what));
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Executes one statement that is safe to repeat. It is repeated if its answer is lost.
    pub(crate) async fn execute(
        &self,
        what: &'static str,
        statement: impl Fn(&Statements) -> Query,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.try_to(what, |sql, _| statement(sql), false).await
    }

    /// Executes one statement that must not be executed twice. The statement gets a time, and must do nothing and
    /// return no row after this time by the database's clock.
    ///
    /// If the answer is lost, the error is `Unavailable`, and the caller must find out if the statement was executed.
    /// It will not be executed from then on: a silent server may still have it in its input, but its time has passed.
    pub(crate) async fn execute_once(
        &self,
        what: &'static str,
        statement: impl Fn(&Statements, DateTime<Utc>) -> Query,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.try_to(what, statement, true).await
    }

    /// Executes one statement. If there is no connection or it is lost, the statement is tried again until the limit
    /// for connecting passes, unless it was sent and must be executed only once.
    async fn try_to(
        &self,
        what: &'static str,
        statement: impl Fn(&Statements, DateTime<Utc>) -> Query,
        is_once: bool,
    ) -> Result<Vec<PgRow>, StoreError> {
        let end = self.connecting.end();
        let mut pause = FIRST_PAUSE;
        loop {
            let mut is_sent = false;
            let error = match self.pool.acquire(end).await {
                Err(error) => error,
                Ok(mut connection) => {
                    let executed =
                        self.execute_on(&mut connection, &statement, is_once, &mut is_sent);
                    match executed.await {
                        Ok(rows) => return Ok(rows),
                        Err(error) => error,
                    }
                }
            };
            if is_lost(&error) {
                self.pool.drop_idle();
            }
            let may_repeat = is_race(&error) || is_lost(&error) && !(is_once && is_sent);
            if !may_repeat || Instant::now() + pause >= end {
                return Err(into_store_error(error.into(), what));
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn execute_on(
        &self,
        connection: &mut Lent,
        statement: &impl Fn(&Statements, DateTime<Utc>) -> Query,
        is_once: bool,
        is_sent: &mut bool,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let last = if is_once {
            let clock = query(&self.sql.own.clock);
            let now = self.rows(connection, clock).await?;
            let now = now.first().ok_or(sqlx::Error::RowNotFound)?;
            now.time(0).map_err(sqlx::Error::Decode)? + self.longest_statement
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        let statement = statement(&self.sql, last);
        *is_sent = true;
        let rows = self.rows(connection, statement).await?;
        if is_once && rows.is_empty() {
            // The statement was too late.
            return Err(self.execution.limit().passed());
        }
        Ok(rows)
    }

    async fn rows(
        &self,
        connection: &mut Lent,
        statement: Query,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let step =
            async |connection: &mut PgConnection| self.execution.rows(connection, statement).await;
        connection.step(step).await
    }

    /// Checks immediately that the database answers, without retries and without waiting for a connection of the pool.
    pub(crate) async fn ping(&self, at_most: Duration) -> Result<(), StoreError> {
        // One message, because a pooler may change the server connection between two of them.
        let ask = &self.sql.own.ping;
        let all = async {
            if let Some(mut idle) = self.pool.try_acquire() {
                let asked = idle.step(async |idle| execute_script(idle, ask).await);
                if asked.await.is_ok() {
                    return Ok(());
                }
            }
            // No connection is idle, or the idle one was lost.
            let mut connection = self.connect.connect().await?;
            execute_script(&mut connection, ask).await?;
            connection.close().await
        };
        let answer = Limit::fixed(at_most).on(all).await;
        if answer.is_err() {
            self.pool.drop_idle();
        }
        answer.map_err(|error| into_store_error(error.into(), "answer"))
    }

    async fn begin(&self, end: Instant) -> Result<PgReading, sqlx::Error> {
        let mut connection = self.pool.acquire(end).await?;
        let limit = self.execution.limit();
        connection.begin(&self.begin, limit).await?;
        Ok(PgReading {
            connection,
            limit,
            is_persistent: self.execution.is_persistent(),
        })
    }
}

/// Returns `true` if the parameter is a text that no row can contain.
fn is_of_nothing(parameter: &Parameter) -> bool {
    match parameter {
        Parameter::Text(text) | Parameter::Filter(Some(text)) => !is_storable(text),
        _ => false,
    }
}

/// Returns those of the texts that rows can contain.
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
        let mut query = query(sql).persistent(self.is_persistent);
        for parameter in parameters {
            query = match parameter {
                Parameter::Text(text) => query.bind(text),
                Parameter::Filter(filter) => query.bind(filter),
                Parameter::AnyOf(admitted) => query.bind(json(&admitted.map(storable))?),
                Parameter::Number(number) => query.bind(number),
                Parameter::Time(micros) => query.bind(place_in_time(micros)),
            };
        }
        let limit = self.limit;
        let step =
            async |connection: &mut PgConnection| limit.on(query.fetch_all(connection)).await;
        Ok(self.connection.step(step).await?)
    }
}
