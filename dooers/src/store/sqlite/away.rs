//! Faults after which the database may become usable again.
//!
//! A full disk, a missing file or a lock of another program may pass without a restart. Such a fault is
//! [`StoreError::Unavailable`], as when a PostgreSQL server cannot be reached. Any other fault is
//! [`StoreError::Failed`].

use crate::store::StoreError;
use crate::store::sql::{RowError, Stop};
use rusqlite::ffi;

/// The reason why the database is unavailable at the moment.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct Away(pub(super) String);

/// Converts the fault of an operation into the caller's error. `what` is the operation.
pub(super) fn told(error: RowError, what: &'static str) -> StoreError {
    if is_away(&error) {
        StoreError::Unavailable {
            what,
            source: error,
        }
    } else {
        StoreError::Failed {
            what,
            source: error,
        }
    }
}

/// Converts the result of a stopped operation into the caller's error. `what` is the operation.
pub(super) fn answer(stop: Stop, what: &'static str) -> StoreError {
    match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Fault(error) => told(error, what),
    }
}

/// Copies an error for one more caller.
pub(super) fn again(error: &RowError) -> RowError {
    let text = error.to_string();
    if is_away(error) {
        Away(text).into()
    } else {
        text.into()
    }
}

/// Returns `true` if the same operation may succeed later.
pub(super) fn is_away(error: &RowError) -> bool {
    error.is::<Away>() || code(error).is_some_and(passes) || is_sqlx_away(error)
}

/// Returns advice for the operator on a fault that may pass.
pub(super) fn advice(error: &RowError) -> &'static str {
    match code(error) {
        Some(ffi::SQLITE_FULL) => "make room on its disk",
        Some(ffi::SQLITE_READONLY) => "allow this process to write in the file and its directory",
        Some(ffi::SQLITE_BUSY) => "end the program that keeps it locked",
        _ => "check its disk: it may be full, over a quota or broken",
    }
}

fn passes(code: i32) -> bool {
    matches!(
        code,
        ffi::SQLITE_FULL
            | ffi::SQLITE_IOERR
            | ffi::SQLITE_CANTOPEN
            | ffi::SQLITE_READONLY
            | ffi::SQLITE_BUSY
    )
}

/// Returns SQLite's primary code of an error of the writer or of a reader.
fn code(error: &RowError) -> Option<i32> {
    if let Some(error) = error.downcast_ref::<rusqlite::Error>() {
        return error.sqlite_error().map(|error| error.extended_code & 0xff);
    }
    let error = error.downcast_ref::<sqlx::Error>()?.as_database_error()?;
    let extended: i32 = error.code()?.parse().ok()?;
    Some(extended & 0xff)
}

fn is_sqlx_away(error: &RowError) -> bool {
    matches!(
        error.downcast_ref(),
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)
    )
}
