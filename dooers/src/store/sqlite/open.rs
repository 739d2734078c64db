//! Opening the database, and all that can be wrong with it.
//!
//! Everything is looked at before anything is changed: what is refused stays as it was.

use super::SqliteOptions;
use super::database::Database;
use super::lock::DatabaseLock;
use super::migrate::{MIGRATIONS, MigrateError, migrate};
use super::place::{beside, resolve};
use super::statements::Statements;
use super::watch::Watch;
use crate::store::StoreError;
use crate::store::sql::Migration;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

/// A database of up to this many bytes is examined whole when it is opened, in a fraction of a second. Damage in a
/// larger one is noticed by those who read the damaged place.
const EXAMINED_BYTES: u64 = 16 * 1024 * 1024;

/// What the writer needs.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) lock: DatabaseLock,
    pub(super) watch: Arc<Watch>,
}

/// Opens the database, and makes or updates its tables.
pub(super) fn open(options: &SqliteOptions, sql: Arc<Statements>) -> Result<Opened, StoreError> {
    open_with(options, sql, MIGRATIONS)
}

/// The same, with other migrations than the program's.
pub(super) fn open_with(
    options: &SqliteOptions,
    sql: Arc<Statements>,
    migrations: &[Migration],
) -> Result<Opened, StoreError> {
    let path = resolve(options)?;
    let mut lock = DatabaseLock::take(&path)?;
    let connection = connect(options, &path)
        .and_then(|connection| {
            examine(&connection, &path)?;
            migrate(
                &connection,
                &options.table_prefix,
                migrations,
                options.auto_migrate,
            )?;
            configure(&connection)?;
            Ok(connection)
        })
        .map_err(|problem| cannot_open(&options.path, problem))?;
    let watch = Watch::begin(path).map_err(|error| cannot_open(&options.path, error))?;
    let watch = Arc::new(watch);
    // Readers will have connections, too.
    lock.may_be_outlived(true);
    Ok(Opened {
        database: Database::new(connection, sql, Arc::clone(&watch)),
        lock,
        watch,
    })
}

/// Why a database cannot be opened, in one sentence.
pub(super) fn cannot_open(path: &Path, why: impl Display) -> StoreError {
    StoreError::Open(format!(
        "cannot open the database `{}`: {why}",
        path.display()
    ))
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("it is not a SQLite database; name another file")]
    NotADatabase,
    #[error("it is damaged ({0}); restore a backup")]
    Damaged(String),
    #[error(
        "it or its directory is read-only for this process; allow this process to write in both"
    )]
    ReadOnly,
    #[error(
        "another program keeps it locked; end that program, or put the database on a local disk if it is on a network's"
    )]
    Busy,
    #[error("the disk is full; make room")]
    Full,
    #[error(
        "its file system does not support write-ahead logs (the journal mode stays `{0}`); put it on a local disk"
    )]
    NoWriteAheadLog(String),
    #[error("{0}")]
    Migrate(MigrateError),
    #[error("{0}")]
    Other(rusqlite::Error),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Other(error),
        }
    }
}

impl From<MigrateError> for Problem {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Database(error) => error.into(),
            other => Self::Migrate(other),
        }
    }
}

fn connect(options: &SqliteOptions, path: &Path) -> Result<Connection, Problem> {
    let has_log = beside(path, "-wal")
        .metadata()
        .is_ok_and(|log| log.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.busy_timeout)?;
    // Until the file is known to be ours, what a stopped program left in its log stays there.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
    // What is deleted is overwritten with zeros: secrets that were sealed or removed, conversations, users' ids.
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    if connection.is_readonly("main")? {
        return Err(Problem::ReadOnly);
    }
    Ok(connection)
}

/// Looks for damage.
fn examine(connection: &Connection, path: &Path) -> Result<(), Problem> {
    // The first look at the file finds what is no database at all, or is cut off.
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    // SQLite takes a file that is shorter than any page for an empty database, and would write over it.
    if pages == 0 && path.metadata().is_ok_and(|file| file.len() > 0) {
        return Err(Problem::NotADatabase);
    }
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    if path
        .metadata()
        .is_ok_and(|file| file.len() <= EXAMINED_BYTES)
    {
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(Problem::Damaged(verdict.replace('\n', " ")));
        }
    }
    Ok(())
}

fn configure(connection: &Connection) -> Result<(), Problem> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Problem::NoWriteAheadLog(mode));
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA cache_size = -16384;",
    )?;
    // A page that many messages change is moved into the database once for four times as many as by default, and the
    // log stays at some 16 MiB: measured, a fifth more turns a second.
    connection.query_row("PRAGMA wal_autocheckpoint = 4000", [], |_| Ok(()))?;
    // After a burst the log shrinks again.
    connection.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // What a stopped program left in its log goes into the database: it may be what that program was about to remove
    // from the log. Reading makes the log and its index, which are there from now on.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    empty_log(connection)?;
    Ok(())
}

/// Moves what is in the write-ahead log into the database, and makes the log empty. The result is whether that was
/// possible; while others read what is in the log it is not.
pub(super) fn empty_log(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    })
}
