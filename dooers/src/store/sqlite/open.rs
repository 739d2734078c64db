//! Opening the database, and all that can be wrong with it.
//!
//! Everything is looked at before anything is changed: what is refused stays as it was.

use super::SqliteOptions;
use super::database::Database;
use super::lock::{DatabaseLock, beside};
use super::migrate::{MIGRATIONS, MigrateError, migrate};
use super::statements::Statements;
use crate::store::StoreError;
use crate::store::sql::Migration;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A database of up to this many bytes is examined whole when it is opened, in a fraction of a second. Damage in a
/// larger one is noticed by those who read the damaged place.
const EXAMINED_BYTES: u64 = 16 * 1024 * 1024;

/// What the writer needs.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) lock: DatabaseLock,
    /// Where it is, whatever the process's directory becomes.
    pub(super) path: PathBuf,
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
    let lock = DatabaseLock::take(&path)?;
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
    Ok(Opened {
        database: Database::new(connection, sql),
        lock,
        path,
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
    #[error("another program keeps it locked; end that program")]
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

/// The path with all links followed, so that all who name the file lock the same one.
fn resolve(options: &SqliteOptions) -> Result<PathBuf, StoreError> {
    let path = &options.path;
    let fail = |why: &dyn Display| cannot_open(path, why);
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        return Err(fail(
            &"it needs the name of a file (a store in memory is `MemoryStore`)",
        ));
    }
    let resolved = match path.canonicalize() {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !options.auto_migrate {
                return Err(fail(
                    &"there is no such file; allow `auto_migrate` (WORKER_DATABASE_AUTO_MIGRATE=true) once to make it",
                ));
            }
            let absolute = std::path::absolute(path).map_err(|error| fail(&error))?;
            let (Some(directory), Some(name)) = (absolute.parent(), absolute.file_name()) else {
                return Err(fail(&"it is not the name of a file"));
            };
            let directory = directory.canonicalize().map_err(|error| {
                fail(&format_args!(
                    "its directory `{}` cannot be used: {error}",
                    directory.display()
                ))
            })?;
            directory.join(name)
        }
        Err(error) => return Err(fail(&error)),
    };
    if resolved.is_dir() {
        return Err(fail(&"it is a directory; name a file"));
    }
    if resolved.to_str().is_none() {
        return Err(fail(&"its path is not UTF-8"));
    }
    Ok(resolved)
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
    Ok(())
}
