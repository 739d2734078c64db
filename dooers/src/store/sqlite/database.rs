//! The connection that writes.

use super::statements::Statements;
use crate::store::list_clock::ListClock;
use crate::store::sql::{Columns, RowError, Stop};
use rusqlite::{Connection, Params, Row};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The most clocks of lists that are remembered.
const CLOCKS: usize = 10_000;

/// The connection that writes, with the statements.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    pub(super) sql: Arc<Statements>,
    /// The clocks of lists, by the `pk` of their scopes. After a rollback one may be ahead, which does no harm.
    clocks: RefCell<HashMap<i64, ListClock>>,
}

impl Database {
    pub(super) fn new(connection: Connection, sql: Arc<Statements>) -> Self {
        // More than there are statements: each is prepared once.
        connection.set_prepared_statement_cache_capacity(128);
        Self {
            connection,
            sql,
            clocks: RefCell::default(),
        }
    }

    pub(super) fn execute(&self, sql: &str, parameters: impl Params) -> Result<(), Stop> {
        self.connection.prepare_cached(sql)?.execute(parameters)?;
        Ok(())
    }

    /// Inserts a row. The result is its `pk`.
    pub(super) fn insert(&self, sql: &str, parameters: impl Params) -> Result<i64, Stop> {
        self.execute(sql, parameters)?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The first row that the statement gives.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, RowError>,
    ) -> Result<Option<T>, Stop> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        Ok(rows.next()?.map(read).transpose()?)
    }

    /// Whether the statement gives a row for an id.
    pub(super) fn has(&self, sql: &str, id: &str) -> Result<bool, Stop> {
        let row = self.first(sql, [id], |_| Ok(()))?;
        Ok(row.is_some())
    }

    /// The clock of a scope's lists. What was stored last is read once.
    pub(super) fn clock(&self, scope_pk: i64) -> Result<ListClock, Stop> {
        if let Some(clock) = self.clocks.borrow().get(&scope_pk) {
            return Ok(clock.clone());
        }
        let clock = ListClock::default();
        self.first(&self.sql.writes.newest, [scope_pk], |row| {
            let times = [row.optional_number(0)?, row.optional_number(1)?];
            times.into_iter().flatten().for_each(|at| clock.note(at));
            Ok(())
        })?;
        let mut clocks = self.clocks.borrow_mut();
        if clocks.len() >= CLOCKS {
            clocks.clear();
        }
        clocks.insert(scope_pk, clock.clone());
        Ok(clock)
    }

    /// All rows that the statement gives.
    pub(super) fn every<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, RowError>,
    ) -> Result<Vec<T>, Stop> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    /// How many rows were written since the connection was opened.
    pub(super) fn rows_written(&self) -> u64 {
        self.connection.total_changes()
    }

    pub(super) fn begin(&self) -> Result<(), RowError> {
        Ok(self.control("BEGIN IMMEDIATE")?)
    }

    pub(super) fn commit(&self) -> Result<(), RowError> {
        Ok(self.control("COMMIT")?)
    }

    /// Takes back what was written since [`begin`](Self::begin), if SQLite has not done so by itself.
    pub(super) fn roll_back(&self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.control("ROLLBACK") {
            tracing::error!(target: "dooers::store", %error, "a transaction could not be rolled back");
        }
    }

    fn control(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Moves all of the write-ahead log into the database and closes it.
    pub(super) fn close(self) {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let done = self
            .connection
            .query_row(checkpoint, [], |row| Ok(row.number(0)));
        if !matches!(done, Ok(Ok(0))) {
            // Nothing is lost by it: the log stays beside the database and counts.
            tracing::warn!(target: "dooers::store", ?done, "the write-ahead log could not be emptied");
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(target: "dooers::store", %error, "the database could not be closed");
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}
