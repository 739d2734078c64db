//! A writer's connection.
//!
//! **No statement is done twice, and none is lost.** A writer has a row in the database with the number of its last
//! statement, and each statement raises it by one, or does nothing. When a connection is lost in the middle of a statement,
//! the next connection raises the row's epoch first: that waits for a late statement, and bars one that has not begun. The
//! number tells then whether the statement was done.

use super::PostgresOptions;
use super::connect::{self, connect, is_lost_row, local, query};
use super::statements::Statements;
use super::written::Rows;
use crate::protocol::new_id;
use crate::store::TurnKey;
use crate::store::sql::{Columns, RowError, int};
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::{Arguments, Connection, PgConnection};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Who has long waited for the database is told so after one more try.
pub(super) const LAST_TRY: Duration = Duration::from_millis(250);

/// The connection, and what the database knows of it.
#[derive(Debug)]
pub(super) struct Link {
    connect: PgConnectOptions,
    is_pooled: bool,
    patience: Duration,
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
    /// The number of a statement of which nobody could be told how it ended, and the turns that it claims.
    unresolved: Option<(i64, Vec<TurnKey>)>,
    /// Turns that were claimed by such a statement: nobody runs them.
    orphans: Vec<TurnKey>,
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
            is_pooled: options.is_pooled(),
            patience: options.patience(),
            sql,
            connection: None,
            id: new_id(),
            statements: 0,
            epoch: 0,
            is_registered: false,
            unresolved: None,
            orphans: Vec::new(),
        }
    }

    /// For how long an operation waits for the database.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) fn is_pooled(&self) -> bool {
        self.is_pooled
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
        claims: Vec<TurnKey>,
        end: Instant,
    ) -> Result<Outcome, RowError> {
        let mut arguments = PgArguments::default();
        arguments.add(self.id.clone())?;
        arguments.add(self.statements + 1)?;
        arguments.add(self.epoch)?;
        rows.add_to(&mut arguments)?;
        let error = match timeout(self.patience, self.execute(statement, arguments)).await {
            Ok(Ok(Some(refused))) => {
                self.statements += 1;
                return Ok(Outcome::Done(refused));
            }
            Ok(Ok(None)) => {
                // Somebody has removed this writer's row. Nothing was written.
                self.is_registered = false;
                return Ok(Outcome::NotDone);
            }
            Ok(Err(error)) if !is_lost_row(&error) => return Err(error),
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::PoolTimedOut.into(),
        };
        self.lose(&error);
        let number = self.statements + 1;
        match self.open(end).await {
            Ok(Some((last, refused))) if last == number => Ok(Outcome::Done(refused)),
            Ok(_) => Ok(Outcome::NotDone),
            Err(error) => {
                self.unresolved = Some((number, claims));
                Err(error)
            }
        }
    }

    /// The result is which threads were refused; none if it was not this statement's turn.
    async fn execute(
        &mut self,
        statement: &Arc<str>,
        arguments: PgArguments,
    ) -> Result<Option<HashSet<i64>>, RowError> {
        let connection = self.connection.as_mut().ok_or(NOT_CONNECTED)?;
        let mut local = local(connection, self.is_pooled).await?;
        let statement = connect::query_with(statement, arguments).persistent(!self.is_pooled);
        let row = statement.fetch_optional(local.connection()).await?;
        local.end().await?;
        row.map(|row| refused(&row, 0)).transpose()
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
            let error = match timeout(self.patience, self.try_open(end)).await {
                Ok(Ok(last)) => return Ok(last),
                Ok(Err(error)) => error,
                Err(_) => sqlx::Error::PoolTimedOut.into(),
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
        let patience = end.saturating_duration_since(Instant::now()).max(LAST_TRY);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.connect, patience).await?,
        };
        let mut last = None;
        let mut local = local(&mut connection, self.is_pooled).await?;
        if self.is_registered {
            let fence = query(&self.sql.own.fence_writer).bind(self.id.clone());
            let row = fence
                .persistent(!self.is_pooled)
                .fetch_optional(local.connection())
                .await?;
            match row {
                Some(row) => {
                    self.epoch = row.number(0)?;
                    last = Some((row.number(1)?, refused(&row, 2)?));
                }
                None => self.is_registered = false,
            }
        }
        if !self.is_registered {
            // Never one that was known before: a late statement of it would be taken for a new one.
            self.id = new_id();
            self.epoch = 0;
            let insert = query(&self.sql.own.insert_writer).bind(self.id.clone());
            insert
                .persistent(!self.is_pooled)
                .execute(local.connection())
                .await?;
        }
        local.end().await?;
        if let Some((number, claims)) = self.unresolved.take()
            && last.as_ref().is_some_and(|(last, _)| *last == number)
        {
            self.orphans.extend(claims);
        }
        self.statements = last.as_ref().map_or(0, |(number, _)| *number);
        self.is_registered = true;
        if !self.orphans.is_empty() {
            let (ids, fences) = self
                .orphans
                .iter()
                .map(|key| (key.event_id.clone(), int(key.fence)))
                .unzip::<_, _, Vec<_>, Vec<_>>();
            let mut local = connect::local(&mut connection, self.is_pooled).await?;
            let release = query(&self.sql.own.end_leases).bind(ids).bind(fences);
            let release = release.persistent(!self.is_pooled);
            release.execute(local.connection()).await?;
            local.end().await?;
            self.orphans.clear();
        }
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
        let remove = query(&self.sql.own.remove_writer)
            .bind(self.id.clone())
            .persistent(!self.is_pooled);
        let all = async {
            let mut local = local(&mut connection, self.is_pooled).await?;
            remove.execute(local.connection()).await?;
            local.end().await?;
            connection.close().await
        };
        // It is removed some day in any case.
        if let Ok(Err(error)) | Err(error) = timeout(LAST_TRY, all)
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)
        {
            tracing::debug!(target: "dooers::store", %error, "a writer could not be closed in order");
        }
    }
}

const NOT_CONNECTED: &str = "there is no connection to the database";

fn refused(row: &sqlx::postgres::PgRow, at: usize) -> Result<HashSet<i64>, RowError> {
    let threads: Vec<i64> = sqlx::Row::try_get(row, at)?;
    Ok(threads.into_iter().collect())
}
