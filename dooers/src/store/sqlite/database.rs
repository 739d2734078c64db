//! The writer's connection.

use super::away::{advice, is_away};
use super::log::empty_log;
use super::statements::Statements;
use super::watch::Watch;
use crate::store::list_clock::ListClock;
use crate::store::outbox::OutboxSwitch;
use crate::store::sql::{Columns, RowError, Stop};
use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, Params, Row, params};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Maximum number of remembered list clocks.
const CLOCKS: usize = 10_000;

/// The number of bytes that are written to test whether there is room again: more than the log needs for one message.
const ROOM: i32 = 64 * 1024;

/// The writer's connection, with its statements.
#[derive(Debug)]
pub(super) struct WriterDatabase {
    connection: Connection,
    pub(super) sql: Arc<Statements>,
    /// The list clocks, by the `pk` of their scopes. After a rollback a clock may be ahead, which is harmless.
    clocks: RefCell<HashMap<i64, ListClock>>,
    pub(super) watch: Arc<Watch>,
    pub(super) outbox: OutboxSwitch,
    /// `true` if the log contains data that must not stay there.
    is_log_confidential: Cell<bool>,
}

impl WriterDatabase {
    pub(super) fn new(connection: Connection, sql: Arc<Statements>, watch: Arc<Watch>) -> Self {
        // The capacity exceeds the number of statements, so each is prepared once.
        connection.set_prepared_statement_cache_capacity(128);
        Self {
            connection,
            sql,
            clocks: RefCell::default(),
            watch,
            outbox: OutboxSwitch::default(),
            is_log_confidential: Cell::new(false),
        }
    }

    pub(super) fn execute(&self, sql: &str, parameters: impl Params) -> Result<(), Stop> {
        self.prepare(sql)?.execute(parameters)?;
        Ok(())
    }

    /// Prepares a statement, which is executed once.
    fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, rusqlite::Error> {
        #[cfg(test)]
        self.sql.count();
        self.connection.prepare_cached(sql)
    }

    /// Inserts a row and returns its `pk`.
    pub(super) fn insert(&self, sql: &str, parameters: impl Params) -> Result<i64, Stop> {
        self.execute(sql, parameters)?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Returns the first row of a statement.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, RowError>,
    ) -> Result<Option<T>, Stop> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(parameters)?;
        Ok(rows.next()?.map(read).transpose()?)
    }

    /// Returns `true` if the statement returns a row for an id.
    pub(super) fn has(&self, sql: &str, id: &str) -> Result<bool, Stop> {
        let row = self.first(sql, [id], |_| Ok(()))?;
        Ok(row.is_some())
    }

    /// Returns the clock of a scope's lists. Its stored time is read once.
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

    /// Returns all rows of a statement.
    pub(super) fn every<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, RowError>,
    ) -> Result<Vec<T>, Stop> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    /// Returns the number of rows that were written since the connection was opened.
    pub(super) fn rows_written(&self) -> u64 {
        self.connection.total_changes()
    }

    pub(super) fn begin(&self) -> Result<(), RowError> {
        Ok(self.control("BEGIN IMMEDIATE")?)
    }

    pub(super) fn commit(&self) -> Result<(), RowError> {
        Ok(self.control("COMMIT")?)
    }

    /// Rolls back everything since [`begin`](Self::begin), unless SQLite has already done so.
    pub(super) fn roll_back(&self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.control("ROLLBACK") {
            tracing::error!(target: "dooers::store", %error, "a transaction could not be rolled back");
        }
    }

    fn control(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.prepare(sql)?.execute([])?;
        Ok(())
    }

    /// Requests that the data that this transaction deletes is removed from the log as well. SQLite overwrites it in
    /// the database, but the log has older copies of the pages.
    pub(super) fn forget_in_log(&self) {
        self.is_log_confidential.set(true);
    }

    /// Empties the log if it contains data that must not stay there. If a reader still uses the log, the next call
    /// tries again.
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

    /// Moves the content of the log into the database, except the part that readers still use.
    pub(super) fn save_log(&self) {
        let saved = self.at_once(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        });
        if let Err(error) = saved {
            tracing::warn!(target: "dooers::store", %error, "the write-ahead log could not be saved");
        }
    }

    /// Calls a function without waiting for locks.
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

    /// Records a failed write, if the fault may pass.
    pub(super) fn note(&self, error: &RowError) {
        if is_away(error) {
            self.watch.cannot_write(error, advice(error));
        }
    }

    /// Tests whether the database can be written again.
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

    /// Moves the content of the write-ahead log into the database and closes the connection.
    pub(super) fn close(self) {
        let obstacle = match empty_log(&self.connection) {
            Ok(true) => None,
            Ok(false) => Some("another connection uses it".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(obstacle) = obstacle {
            // No data is lost: the log stays beside the database and remains valid.
            tracing::warn!(target: "dooers::store", obstacle, "the write-ahead log could not be emptied");
        }
        self.watch.look();
        if self.watch.is_gone() {
            // By now, a log with this name may belong to another database.
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
