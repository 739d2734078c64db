//! One process, and one store in it, has the database.

use super::open::cannot_open;
use crate::store::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The lock on a file beside the database, held until it is dropped.
///
/// The operating system gives it free when the process ends, however it ends. The file stays: who deleted it could
/// delete one that another process has just locked.
#[derive(Debug)]
pub(super) struct DatabaseLock {
    _file: File,
}

impl DatabaseLock {
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database, "-lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| {
                cannot_open(
                    database,
                    format_args!(
                        "its lock file `{}` cannot be written ({error}); give this process a directory that it can write in",
                        path.display()
                    ),
                )
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(cannot_open(
                database,
                format_args!(
                    "it is open already, and holds the lock on `{}`; stop the program that has it, or set WORKER_DATABASE_NAME to another file",
                    path.display()
                ),
            )),
            Err(TryLockError::Error(error)) => Err(cannot_open(
                database,
                format_args!("`{}` cannot be locked: {error}", path.display()),
            )),
        }
    }
}

/// A file beside the database.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
