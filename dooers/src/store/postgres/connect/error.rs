//! The classification of errors.

use crate::store::StoreError;
use crate::store::sql::RowError;
use std::borrow::Cow;
use std::io;

/// Returns `true` if the database could not be reached or the connection was lost. The database may be available again
/// soon.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => {
            !is_of_pooler(error)
                && database.code().is_some_and(|code| {
                    // Broken connections; a server that stops, starts, has no free connection or is read-only; faults
                    // of a pooler. 57014 and 25P03 are the server's own time limits.
                    code.starts_with("08")
                        || code.starts_with("57P")
                        || matches!(&*code, "53300" | "25006" | "57014" | "25P03")
                })
        }
        _ => false,
    }
}

/// Returns the code of an error that the database reported.
pub(crate) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Returns `true` if two statements raced for the same rows.
pub(crate) fn is_race(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| matches!(&*code, "23505" | "40001" | "40P01"))
}

/// As [`is_race`], for an error of any type.
pub(crate) fn is_race_row(error: &RowError) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_race)
}

/// As [`is_lost`], for an error of any type.
pub(crate) fn is_lost_row(error: &RowError) -> bool {
    error.downcast_ref::<sqlx::Error>().is_some_and(is_lost)
}

/// Returns `true` if the server could not prove its identity. Another attempt would fail as well.
pub(crate) fn is_distrust(error: &io::Error) -> bool {
    // rustls reports its own errors with this kind.
    error.kind() == io::ErrorKind::InvalidData
}

/// Returns `true` if a pooler refused the startup settings of a connection, which it could not keep.
pub(crate) fn is_of_pooler(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.message().contains("startup parameter"))
}

/// A value that the database can never store.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Unstorable {
    #[error("an id contains U+0000, which PostgreSQL cannot store; remove it")]
    Nul,
    #[error("an id is too long for an index of PostgreSQL; choose a shorter one")]
    Length,
}

impl Unstorable {
    fn of(error: &RowError) -> Option<Self> {
        if let Some(known) = error.downcast_ref() {
            return Some(*known);
        }
        match &*code(error.downcast_ref()?)? {
            // In a text, and in the text of a JSON value.
            "22021" | "22P05" => Some(Self::Nul),
            // The length of a text is not limited in practice, but the length of an index entry is.
            "54000" => Some(Self::Length),
            _ => None,
        }
    }
}

/// Converts an error of the database into the caller's error. `what` is the operation.
pub(crate) fn into_store_error(error: RowError, what: &'static str) -> StoreError {
    if let Some(unstorable) = Unstorable::of(&error) {
        StoreError::Invalid(unstorable.to_string())
    } else if is_lost_row(&error) {
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

/// Copies an error for one more caller.
pub(crate) fn again(error: &RowError) -> RowError {
    let text = error.to_string();
    if let Some(unstorable) = Unstorable::of(error) {
        unstorable.into()
    } else if is_lost_row(error) {
        sqlx::Error::Io(io::Error::other(text)).into()
    } else {
        text.into()
    }
}
