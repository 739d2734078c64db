//! The connection that writes.

use super::away::{advice, is_away};
use super::open::empty_log;
use super::statements::Statements;
use super::watch::Watch;
use crate::store::list_clock::ListClock;
use crate::store::sql::{Columns, RowError, Stop};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Params, Row, params};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The most clocks of lists that are remembered.
const CLOCKS: usize = 10_000;

/// The number of bytes that are written to find out whether there is room again: more than the log of one message takes.
const ROOM: i32 = 64 * 1024;

/// The connection that writes, with the statements.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    pub(super) sql: Arc<Statements>,
    /// The clocks of lists, by the `pk` of their scopes. After a rollback one may be ahead, which does no harm.
    clocks: RefCell<HashMap<i64, ListClock>>,
    pub(super) watch: Arc<Watch>,
    /// Whether the log holds something that must not stay there.
    is_log_confidential: Cell<bool>,
}

impl Database {
    pub(super) fn new(connection: Connection, sql: Arc<Statements>, watch: Arc<Watch>) -> Self {
        // More than there are statements: each is prepared once.
        connection.set_prepared_statement_cache_capacity(128);
        Self {
            connection,
            sql,
            clocks: RefCell::default(),
            watch,
            is_log_confidential: Cell::new(false),
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

    /// Says that what this transaction removes must not stay in the log either. SQLite overwrites it in the database,
    /// but the log has older copies of the pages.
    pub(super) fn forget_in_log(&self) {
        self.is_log_confidential.set(true);
    }

    /// Empties the log, if it holds something that must not stay there. While others read what is in the log, it is to
    /// be tried again.
    pub(super) fn tidy_log(&self) {
        if !self.is_log_confidential.get() {
            return;
        }
        match self.at_once(empty_log) {
            Ok(true) => self.is_log_confidential.set(false),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(target: "dooers::store", %error, "the write-ahead log could not be emptied");
            }
        }
    }

    /// Moves what is in the log into the database, as far as nobody reads it.
    pub(super) fn save_log(&self) {
        let saved = self.at_once(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        });
        if let Err(error) = saved {
            tracing::warn!(target: "dooers::store", %error, "the write-ahead log could not be saved");
        }
    }

    /// Does something without waiting for others.
    fn at_once<T>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        let timeout: i64 = self
            .connection
            .query_row("PRAGMA busy_timeout", [], |row| row.get(0))?;
        self.connection.busy_timeout(Duration::ZERO)?;
        let done = act(&self.connection);
        let timeout = Duration::from_millis(u64::try_from(timeout).unwrap_or_default());
        self.connection.busy_timeout(timeout)?;
        done
    }

    /// Notes that something could not be written, if that may pass.
    pub(super) fn note(&self, error: &RowError) {
        if is_away(error) {
            self.watch.cannot_write(error, advice(error));
        }
    }

    /// Finds out whether there is room to write again.
    pub(super) fn probe(&self) {
        let written = self.write_spare().inspect_err(|_| self.roll_back());
        if written.is_ok() {
            self.watch.can_write();
        }
    }

    fn write_spare(&self) -> Result<(), RowError> {
        let sql = &self.sql.writes;
        let run = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
            self.connection.prepare_cached(sql)?.execute(parameters)
        };
        self.begin()?;
        run(&sql.clear_spare, params![])?;
        run(&sql.fill_spare, params![ROOM])?;
        self.commit()?;
        self.begin()?;
        run(&sql.clear_spare, params![])?;
        self.commit()
    }

    /// Moves all of the write-ahead log into the database and closes it.
    pub(super) fn close(self) {
        let done = empty_log(&self.connection);
        if !matches!(done, Ok(true)) {
            // Nothing is lost by it: the log stays beside the database and counts.
            tracing::warn!(target: "dooers::store", ?done, "the write-ahead log could not be emptied");
        }
        self.watch.look();
        if self.watch.is_gone() {
            // A log of this name may be another database's by now.
            let keep = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            if let Err(error) = self.connection.set_db_config(keep, true) {
                tracing::warn!(target: "dooers::store", %error, "the write-ahead log will be removed");
            }
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
