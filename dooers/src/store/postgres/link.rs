//! A writer's connection.
//!
//! **No statement is done twice, and none is lost.** A writer has a row in the database with the number of its last
//! statement, and each statement raises it by one, or does nothing. When a connection is lost in the middle of a statement,
//! the next connection raises the row's epoch first: that waits for a late statement, and bars one that has not begun. The
//! number tells then whether the statement was done.

use super::PostgresOptions;
use super::connect::{self, connect, is_lost_row, query};
use super::execution::Execution;
use super::limit::{LAST_TRY, Limit};
use super::statements::Statements;
use super::written::Rows;
use crate::protocol::new_id;
use crate::store::sql::{Columns, RowError};
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::{Arguments, Connection, PgConnection};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::time::Instant;

/// The connection, and what the database knows of it.
#[derive(Debug)]
pub(super) struct Link {
    connect: PgConnectOptions,
    connecting: Limit,
    execution: Execution,
    sql: Arc<Statements>,
    /// None after it was lost.
    connection: Option<PgConnection>,
    /// Under which the database knows this writer.
    id: String,
    /// The number of its last statement.
    statements: i64,
    /// Raised by each of its connections: who writes with an older one is refused.
    epoch: i64,
    is_registered: bool,
}

/// How a statement ended whose answer was lost.
pub(super) enum Outcome {
    /// It was done, except for these threads.
    Done(HashSet<i64>),
    /// It was not done and never will be.
    NotDone,
}

impl Link {
    pub(super) fn new(options: &PostgresOptions, sql: Arc<Statements>) -> Self {
        Self {
            connect: connect::connect_options(options),
            connecting: Limit::of_connecting(options.patience()),
            execution: Execution::new(options),
            sql,
            connection: None,
            id: new_id(),
            statements: 0,
            epoch: 0,
            is_registered: false,
        }
    }

    /// The time until which an operation that came then waits for a database that is away.
    pub(super) fn end_since(&self, came: Instant) -> Instant {
        self.connecting.end_since(came)
    }

    pub(super) fn execution(&self) -> Execution {
        self.execution.clone()
    }

    /// Whether there is a connection, over which statements count.
    pub(super) fn is_open(&self) -> bool {
        self.connection.is_some() && self.is_registered
    }

    /// The connection, unless it was lost.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, RowError> {
        Ok(self.connection.as_mut().ok_or(NOT_CONNECTED)?)
    }

    /// Executes the statement that writes. If its answer is lost, finds out how it ended.
    pub(super) async fn commit(
        &mut self,
        statement: &Arc<str>,
        rows: Rows,
        end: Instant,
    ) -> Result<Outcome, RowError> {
        let mut arguments = PgArguments::default();
        arguments.add(self.id.clone())?;
        arguments.add(self.statements + 1)?;
        arguments.add(self.epoch)?;
        rows.add_to(&mut arguments)?;
        let error = match self.execute(statement, arguments).await {
            Ok(Some(refused)) => {
                self.statements += 1;
                return Ok(Outcome::Done(refused));
            }
            Ok(None) => {
                // Somebody has removed this writer's row. Nothing was written.
                self.is_registered = false;
                return Ok(Outcome::NotDone);
            }
            Err(error) if !is_lost_row(&error) => return Err(error),
            Err(error) => error,
        };
        self.lose(&error);
        let number = self.statements + 1;
        match self.open(end).await {
            Ok(Some((last, refused))) if last == number => Ok(Outcome::Done(refused)),
            Ok(_) => Ok(Outcome::NotDone),
            Err(error) => Err(error),
        }
    }

    /// The result is which threads were refused; none if it was not this statement's turn.
    async fn execute(
        &mut self,
        statement: &Arc<str>,
        arguments: PgArguments,
    ) -> Result<Option<HashSet<i64>>, RowError> {
        let connection = self.connection.as_mut().ok_or(NOT_CONNECTED)?;
        let statement = connect::query_with(statement, arguments);
        let rows = self.execution.rows(connection, statement).await?;
        rows.first().map(|row| refused(row, 0)).transpose()
    }

    /// Connects if the connection was lost, and tries until that time. The result of a new connection is the number of the
    /// last statement that was done, and which threads it refused.
    pub(super) async fn open(
        &mut self,
        end: Instant,
    ) -> Result<Option<(i64, HashSet<i64>)>, RowError> {
        if self.is_open() {
            return Ok(None);
        }
        let mut pause = connect::FIRST_PAUSE;
        loop {
            let error = match self.try_open(end).await {
                Ok(last) => return Ok(last),
                Err(error) => error,
            };
            self.connection = None;
            if !is_lost_row(&error) || Instant::now() + pause >= end {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = connect::LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn try_open(&mut self, end: Instant) -> Result<Option<(i64, HashSet<i64>)>, RowError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.connect, self.connecting.until(end)).await?,
        };
        // A statement that is late may hold the row. It is not waited for longer than for a connection.
        let execution = self.execution.within(self.connecting.until(end));
        let mut last = None;
        if self.is_registered {
            let fence = query(&self.sql.own.fence_writer).bind(self.id.clone());
            match execution.rows(&mut connection, fence).await?.first() {
                Some(row) => {
                    self.epoch = row.number(0)?;
                    last = Some((row.number(1)?, refused(row, 2)?));
                }
                None => self.is_registered = false,
            }
        }
        if !self.is_registered {
            // Never one that was known before: a late statement of it would be taken for a new one.
            self.id = new_id();
            self.epoch = 0;
            let insert = query(&self.sql.own.insert_writer).bind(self.id.clone());
            execution.rows(&mut connection, insert).await?;
        }
        self.statements = last.as_ref().map_or(0, |(number, _)| *number);
        self.is_registered = true;
        self.connection = Some(connection);
        Ok(last)
    }

    /// Gives a connection up that is lost.
    pub(super) fn lose(&mut self, error: &RowError) {
        tracing::warn!(target: "dooers::store", error = &**error, "the connection to the database was lost");
        self.connection = None;
    }

    /// Ends in order.
    pub(super) async fn close(mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let remove = query(&self.sql.own.remove_writer).bind(self.id.clone());
        let all = async {
            self.execution.rows(&mut connection, remove).await?;
            connection.close().await
        };
        // It is removed some day in any case.
        if let Err(error) = Limit::fixed(LAST_TRY).on(all).await {
            tracing::debug!(target: "dooers::store", %error, "a writer could not be closed in order");
        }
    }
}

const NOT_CONNECTED: &str = "there is no connection to the database";

fn refused(row: &sqlx::postgres::PgRow, at: usize) -> Result<HashSet<i64>, RowError> {
    let threads: Vec<i64> = sqlx::Row::try_get(row, at)?;
    Ok(threads.into_iter().collect())
}
