//! Opening of a database, with all checks.
//!
//! All checks come before the first change, so that a refused file stays unchanged.

use super::SqliteOptions;
use super::database::WriterDatabase;
use super::file_identity::{beside, resolve};
use super::lock::DatabaseLock;
use super::log::empty_log;
use super::migrate::{MIGRATIONS, MigrateError, migrate};
use super::open_error::cannot_open;
use super::statements::Statements;
use super::watch::Watch;
use crate::store::StoreError;
use crate::store::sql::Migration;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::sync::Arc;

/// Maximum size in bytes of a database that is checked completely when it is opened, which takes a fraction of a
/// second. Damage in a larger database is only noticed when the damaged page is read.
const EXAMINED_BYTES: u64 = 16 * 1024 * 1024;

/// An open database, for the writer.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) database: WriterDatabase,
    pub(super) lock: DatabaseLock,
    pub(super) watch: Arc<Watch>,
}

/// Opens the database, and creates or updates its tables.
pub(super) fn open(options: &SqliteOptions, sql: Arc<Statements>) -> Result<Opened, StoreError> {
    open_with(options, sql, MIGRATIONS)
}

/// Opens the database with other migrations than those of the program.
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
    // The readers will have connections, too.
    lock.may_be_outlived(true);
    Ok(Opened {
        database: WriterDatabase::new(connection, sql, Arc::clone(&watch)),
        lock,
        watch,
    })
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
        "another program keeps it locked; end that program, or move the database to a local disk if it is on a network disk"
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
            MigrateError::WriterDatabase(error) => error.into(),
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
    // Until the file is known to be a database of dooers, the log that a stopped program left is not checkpointed.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
    // Overwrites deleted data with zeros: secrets that were sealed or removed, conversations, ids of users.
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    if connection.is_readonly("main")? {
        return Err(Problem::ReadOnly);
    }
    Ok(connection)
}

/// Checks the database for damage.
fn examine(connection: &Connection, path: &Path) -> Result<(), Problem> {
    // The first read detects a file that is not a database, or is truncated.
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    // SQLite treats a file that is shorter than a page as an empty database, and would overwrite it.
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
    // A page that many messages change is written into the database a quarter as often as with the default, and the log
    // stays at about 16 MiB. In a measurement this gave a fifth more turns per second.
    connection.query_row("PRAGMA wal_autocheckpoint = 4000", [], |_| Ok(()))?;
    // Shrinks the log after a burst.
    connection.query_row("PRAGMA journal_size_limit = 67108864", [], |_| Ok(()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // Moves the log that a stopped program left into the database, because it may contain data that the program was
    // about to remove from the log. The read creates the log and its index, which exist from now on.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    empty_log(connection)?;
    Ok(())
}
