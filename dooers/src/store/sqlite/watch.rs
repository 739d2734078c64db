//! Checks whether the database can be used: its files are in place, and there is room to write.
//!
//! The writer checks the files twice per second, and before a commit if the last check is older than [`SOON`]. Other
//! threads see the result as flags.

use super::away::Away;
use super::file_identity::{FileId, beside};
use crate::store::sql::RowError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The interval of checks while the writer has nothing else to do.
pub(super) const OFTEN: Duration = Duration::from_millis(500);

/// Maximum age of the last check when something is written. A check takes some microseconds.
pub(super) const SOON: Duration = Duration::from_millis(10);

/// The state of the database's files.
#[derive(Debug)]
pub(super) struct Watch {
    /// The database, its log and the log's index, as they were opened.
    files: [(PathBuf, FileId); 3],
    is_gone: AtomicBool,
    is_full: AtomicBool,
}

impl Watch {
    /// Records the files of an open database.
    pub(super) fn begin(database: PathBuf) -> io::Result<Self> {
        let identified = |path: PathBuf| {
            let id = FileId::at(&path)?;
            Ok::<_, io::Error>((path, id))
        };
        let log = identified(beside(&database, "-wal"))?;
        let index = identified(beside(&database, "-shm"))?;
        Ok(Self {
            files: [identified(database)?, log, index],
            is_gone: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
        })
    }

    /// Returns the absolute path of the database. It stays valid if the process changes its working directory.
    pub(super) fn path(&self) -> &Path {
        &self.files[0].0
    }

    /// Checks that the files are in place. Logs a change of the result.
    pub(super) fn look(&self) {
        let missing = self.files.iter().find(|(path, id)| {
            let found = FileId::at(path);
            !found.is_ok_and(|found| found == *id)
        });
        let was_gone = self.is_gone.swap(missing.is_some(), Ordering::Relaxed);
        match missing {
            Some((path, _)) if !was_gone => {
                tracing::error!(
                    target: "dooers::store", path = %path.display(),
                    "a file of the database was removed, moved or replaced while it is open; move it back, or stop this \
                     process and restore a backup. Until then nothing is written, and messages from clients are refused"
                );
            }
            None if was_gone => {
                let path = self.path().display();
                tracing::warn!(target: "dooers::store", %path, "the files of the database are back; writing continues");
            }
            _ => {}
        }
    }

    /// Returns `true` if a file of the database is missing or replaced.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    /// Returns `true` if the last attempt to write failed with a fault that may pass.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Records that a write failed.
    pub(super) fn cannot_write(&self, error: &RowError, advice: &str) {
        if !self.is_full.swap(true, Ordering::Relaxed) {
            let path = self.path().display();
            tracing::error!(
                target: "dooers::store", %path, error = &**error as &dyn std::error::Error,
                "the database cannot be written; {advice}. Until then messages from clients are refused"
            );
        }
    }

    /// Records that there is room again.
    pub(super) fn can_write(&self) {
        if self.is_full.swap(false, Ordering::Relaxed) {
            let path = self.path().display();
            tracing::warn!(target: "dooers::store", %path, "the database can be written again");
        }
    }

    /// Returns the reason why nothing may be written now, if there is one.
    pub(super) fn refusal(&self) -> Option<Away> {
        self.is_gone().then(|| {
            let path = self.path().display();
            Away(format!(
                "a file of `{path}` was removed, moved or replaced while it is open"
            ))
        })
    }

    /// Returns the reason why clients should not be sent to this server now, if there is one.
    pub(super) fn trouble(&self) -> Option<Away> {
        let full = || {
            let path = self.path().display();
            self.is_full()
                .then(|| Away(format!("`{path}` could not be written")))
        };
        self.refusal().or_else(full)
    }
}
