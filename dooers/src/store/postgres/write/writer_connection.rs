//! The connection of a writer.
//!
//! **A statement is never executed twice and never lost.** A writer has a row in the database with the number of its
//! last statement. Each statement raises this number by one, or does nothing. If the connection is lost during a
//! statement, the next connection first raises the epoch in the row. This waits for a late statement, and blocks one
//! that has not begun. The number then shows whether the lost statement was executed.

use super::write_set::Rows;
use crate::protocol::new_id;
use crate::store::postgres::PostgresOptions;
use crate::store::postgres::connect::connection::{
    DriverOptions, FIRST_PAUSE, LONGEST_PAUSE, connect, connect_options,
};
use crate::store::postgres::connect::error::is_lost_row;
use crate::store::postgres::connect::execution::Execution;
use crate::store::postgres::connect::limit::{LAST_TRY, Limit};
use crate::store::postgres::connect::statement::{query, query_with};
use crate::store::postgres::statements::Statements;
use crate::store::sql::{Columns, RowError};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Connection, PgConnection};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::time::Instant;

/// The connection, with the state of the writer's row.
#[derive(Debug)]
pub(crate) struct WriterConnection {
    connect: DriverOptions,
    connecting: Limit,
    execution: Execution,
    sql: Arc<Statements>,
    /// `None` after the connection was lost.
    connection: Option<PgConnection>,
    /// The id of the writer's row.
    id: String,
    /// The number of the last statement.
    statements: i64,
    /// The epoch, which each connection raises. A statement with an older epoch is refused.
    epoch: i64,
    is_registered: bool,
}

/// The outcome of a statement.
pub(crate) enum StatementOutcome {
    /// The statement was executed, except for these threads.
    Done(HashSet<i64>),
    /// The statement was not executed and never will be.
    NotDone,
}

impl WriterConnection {
    pub(crate) fn new(options: &PostgresOptions, sql: Arc<Statements>) -> Self {
        Self {
            connect: connect_options(options),
            connecting: Limit::of_connecting(options.connect_limit()),
            execution: Execution::new(options),
            sql,
            connection: None,
            id: new_id(),
            statements: 0,
            epoch: 0,
            is_registered: false,
        }
    }

    /// Returns the time until which an operation that arrived at `came` waits for an unavailable database.
    pub(crate) fn end_since(&self, came: Instant) -> Instant {
        self.connecting.end_since(came)
    }

    pub(crate) fn execution(&self) -> Execution {
        self.execution.clone()
    }

    /// Returns `true` if there is a connection, and the writer is registered.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_some() && self.is_registered
    }

    /// Returns the connection, unless it was lost.
    pub(crate) fn connection(&mut self) -> Result<&mut PgConnection, RowError> {
        Ok(self.connection.as_mut().ok_or(NOT_CONNECTED)?)
    }

    /// Executes the statement that writes. If its answer is lost, determines its outcome.
    pub(crate) async fn commit(
        &mut self,
        statement: &Arc<str>,
        rows: Rows,
        end: Instant,
    ) -> Result<StatementOutcome, RowError> {
        let mut arguments = PgArguments::default();
        arguments.add(self.id.clone())?;
        arguments.add(self.statements + 1)?;
        arguments.add(self.epoch)?;
        rows.add_to(&mut arguments)?;
        let error = match self.execute(statement, arguments).await {
            Ok(Some(refused)) => {
                self.statements += 1;
                return Ok(StatementOutcome::Done(refused));
            }
            Ok(None) => {
                // The writer's row was removed. Nothing was written.
                self.is_registered = false;
                return Ok(StatementOutcome::NotDone);
            }
            Err(error) if !is_lost_row(&error) => return Err(error),
            Err(error) => error,
        };
        self.lose(&error);
        let number = self.statements + 1;
        match self.open(end).await {
            Ok(Some((last, refused))) if last == number => Ok(StatementOutcome::Done(refused)),
            Ok(_) => Ok(StatementOutcome::NotDone),
            Err(error) => Err(error),
        }
    }

    /// Returns the refused threads, or `None` if the statement's number or epoch was not the expected one.
    async fn execute(
        &mut self,
        statement: &Arc<str>,
        arguments: PgArguments,
    ) -> Result<Option<HashSet<i64>>, RowError> {
        let connection = self.connection.as_mut().ok_or(NOT_CONNECTED)?;
        let statement = query_with(statement, arguments);
        let rows = self.execution.rows(connection, statement).await?;
        rows.first().map(|row| refused(row, 0)).transpose()
    }

    /// Connects again after the connection was lost, with attempts until `end`. For a new connection, returns the
    /// number of the last executed statement and the threads that it refused.
    pub(crate) async fn open(
        &mut self,
        end: Instant,
    ) -> Result<Option<(i64, HashSet<i64>)>, RowError> {
        if self.is_open() {
            return Ok(None);
        }
        let mut pause = FIRST_PAUSE;
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
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn try_open(&mut self, end: Instant) -> Result<Option<(i64, HashSet<i64>)>, RowError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.connect, self.connecting.until(end)).await?,
        };
        // A late statement may hold a lock on the row. The wait for it has the same limit as connecting.
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
            // The id is new, because a late statement with an old id could be taken for a new one.
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

    /// Drops a lost connection.
    pub(crate) fn lose(&mut self, error: &RowError) {
        tracing::warn!(target: "dooers::store", error = &**error, "the connection to the database was lost");
        self.connection = None;
    }

    /// Closes the connection and removes the writer's row.
    pub(crate) async fn close(mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let remove = query(&self.sql.own.remove_writer).bind(self.id.clone());
        let all = async {
            self.execution.rows(&mut connection, remove).await?;
            connection.close().await
        };
        // Otherwise the row is removed later.
        if let Err(error) = Limit::fixed(LAST_TRY).on(all).await {
            tracing::debug!(target: "dooers::store", %error, "the connection of a writer could not be closed");
        }
    }
}

const NOT_CONNECTED: &str = "there is no connection to the database";

fn refused(row: &sqlx::postgres::PgRow, at: usize) -> Result<HashSet<i64>, RowError> {
    let threads: Vec<i64> = sqlx::Row::try_get(row, at)?;
    Ok(threads.into_iter().collect())
}
