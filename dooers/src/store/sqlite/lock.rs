//! The locks that reserve a database for one store of one process.
//!
//! There are two locks. One is on a file beside the database, whose name ends in `-lock`. On Linux, the other one is on
//! the database itself, so that it also holds if another process opens the file under another name, for example through
//! a bind mount or after a move. It is a lock of `flock(2)`, which does not collide there with SQLite's own locks
//! (`fcntl(2)`). On other systems the two collide.
//!
//! The operating system drops all `fcntl` locks of a process on a file as soon as the process closes any descriptor of
//! that file. The descriptor of the database is therefore closed after all connections of SQLite, or kept for the next
//! store.

#[cfg(any(target_os = "android", target_os = "linux"))]
use super::file_identity::FileId;
use super::file_identity::{beside, not_a_file, open_private};
use super::open_error::cannot_open;
use crate::store::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The locks on a database, held until this is dropped.
///
/// The operating system releases them when the process ends, in whatever way. The lock file stays, because deleting it
/// could delete a file that another process has just locked.
#[derive(Debug)]
pub(super) struct DatabaseLock {
    _lock_file: File,
    #[cfg(any(target_os = "android", target_os = "linux"))]
    database: own::OwnLock,
}

impl DatabaseLock {
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        #[cfg(any(target_os = "android", target_os = "linux"))]
        let own = own::OwnLock::take(database)?;
        let path = beside(database, "-lock");
        let refuse = |why: &dyn std::fmt::Display| {
            cannot_open(
                database,
                format_args!(
                    "its lock file `{}` cannot be written ({why}); give this process a directory that it can write in",
                    path.display()
                ),
            )
        };
        if let Ok(found) = path.metadata()
            && let Some(kind) = not_a_file(found.file_type())
        {
            return Err(refuse(&format_args!("it is {kind}")));
        }
        let lock_file = open_private(
            OpenOptions::new().write(true).create(true).truncate(false),
            &path,
        )
        .map_err(|error| refuse(&error))?;
        lock(&lock_file, database)?;
        Ok(Self {
            _lock_file: lock_file,
            #[cfg(any(target_os = "android", target_os = "linux"))]
            database: own,
        })
    }

    /// Sets whether connections of this process may remain open when the lock is released.
    pub(super) fn may_be_outlived(&mut self, is_outlived: bool) {
        #[cfg(any(target_os = "android", target_os = "linux"))]
        self.database.may_be_outlived(is_outlived);
        #[cfg(not(any(target_os = "android", target_os = "linux")))]
        let _ = is_outlived;
    }
}

fn lock(file: &File, database: &Path) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(is_open(database)),
        Err(TryLockError::Error(error)) => Err(cannot_open(
            database,
            format_args!("it cannot be locked ({error}); put it on a local disk"),
        )),
    }
}

fn is_open(database: &Path) -> StoreError {
    cannot_open(
        database,
        "it is open already, in another process or in this one, perhaps under another name; stop the program that has \
         it, or set WORKER_DATABASE_NAME to another file",
    )
}

/// The lock on the database itself.
#[cfg(any(target_os = "android", target_os = "linux"))]
mod own {
    use super::{FileId, StoreError, cannot_open, is_open, lock};
    use std::fs::File;
    use std::path::Path;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// A database that this process has opened and may still have connections to.
    struct OpenFile {
        id: FileId,
        /// The descriptor, if no store uses it at the moment. It must not be closed while connections may exist.
        idle: Option<File>,
    }

    /// A file with an open store is not opened here again, because closing the descriptor would drop SQLite's locks.
    static KNOWN: Mutex<Vec<OpenFile>> = Mutex::new(Vec::new());

    fn known() -> MutexGuard<'static, Vec<OpenFile>> {
        // The list is consistent after a panic, because nothing panics while it holds the lock.
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[derive(Debug)]
    pub(super) struct OwnLock {
        id: FileId,
        /// `None` once the lock is released.
        file: Option<File>,
        /// `true` if connections may remain open when the lock is released.
        is_outlived: bool,
    }

    impl OwnLock {
        pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
            let mut known = known();
            // A file that was removed from the disk cannot be opened again.
            known.retain(|known| !known.idle.as_ref().is_some_and(is_removed));
            let fail = |error| cannot_open(database, error);
            let id = FileId::at(database).map_err(fail)?;
            let file = match known.iter_mut().find(|known| known.id == id) {
                Some(OpenFile { idle: None, .. }) => return Err(is_open(database)),
                Some(OpenFile { idle, .. }) => idle.take(),
                None => None,
            };
            let is_outlived = file.is_some();
            let file = match file {
                Some(file) => file,
                None => {
                    let file = File::open(database).map_err(fail)?;
                    known.push(OpenFile { id, idle: None });
                    file
                }
            };
            let mut own = Self {
                id,
                file: Some(file),
                is_outlived,
            };
            let locked = match &own.file {
                Some(file) if file.metadata().is_ok_and(|file| FileId::of(&file) == id) => {
                    lock(file, database)
                }
                _ => Err(cannot_open(
                    database,
                    "it was replaced while it was being opened; try again",
                )),
            };
            if let Err(error) = locked {
                own.release(&mut known);
                return Err(error);
            }
            Ok(own)
        }

        pub(super) fn may_be_outlived(&mut self, is_outlived: bool) {
            self.is_outlived = is_outlived;
        }

        fn release(&mut self, known: &mut Vec<OpenFile>) {
            let Some(file) = self.file.take() else {
                return;
            };
            let place = known.iter().position(|known| known.id == self.id);
            let Some(place) = place else {
                return;
            };
            if self.is_outlived {
                let _ = file.unlock();
                known[place].idle = Some(file);
            } else {
                known.swap_remove(place);
            }
        }
    }

    impl Drop for OwnLock {
        fn drop(&mut self) {
            if self.file.is_some() {
                self.release(&mut known());
            }
        }
    }

    fn is_removed(file: &File) -> bool {
        use std::os::unix::fs::MetadataExt;
        file.metadata().is_ok_and(|file| file.nlink() == 0)
    }
}
