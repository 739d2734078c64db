//! Whether the database can be used: its files are where they were opened, and there is room to write.
//!
//! The writer looks after the files twice a second, and before a commit if it has not looked for [`SOON`]. What it finds
//! is one flag for everyone else.

use super::away::Away;
use super::place::{FileId, beside};
use crate::store::sql::RowError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the writer looks after the files while it has nothing else to do.
pub(super) const OFTEN: Duration = Duration::from_millis(500);

/// How old the last look may be when something is written. A look takes some microseconds.
pub(super) const SOON: Duration = Duration::from_millis(10);

/// Whether the database can be used.
#[derive(Debug)]
pub(super) struct Watch {
    /// The database, its log and the log's index, as they were opened.
    files: [(PathBuf, FileId); 3],
    is_gone: AtomicBool,
    is_full: AtomicBool,
}

impl Watch {
    /// Remembers the files of a database that is open.
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

    /// Where the database is, whatever the process's directory becomes.
    pub(super) fn path(&self) -> &Path {
        &self.files[0].0
    }

    /// Looks whether the files are where they were opened. The log says when that changes.
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
                     process and restore a backup. Until then nothing is written, and what clients send is refused"
                );
            }
            None if was_gone => {
                let path = self.path().display();
                tracing::warn!(target: "dooers::store", %path, "the files of the database are back; it is written again");
            }
            _ => {}
        }
    }

    /// Whether a file of the database is gone, or another one is in its place.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    /// Whether the last attempt to write something failed by a fault that may pass.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Notes that something could not be written.
    pub(super) fn cannot_write(&self, error: &RowError, advice: &str) {
        if !self.is_full.swap(true, Ordering::Relaxed) {
            let path = self.path().display();
            tracing::error!(
                target: "dooers::store", %path, error = &**error as &dyn std::error::Error,
                "the database cannot be written; {advice}. Until then what clients send is refused"
            );
        }
    }

    /// Notes that there is room again.
    pub(super) fn can_write(&self) {
        if self.is_full.swap(false, Ordering::Relaxed) {
            let path = self.path().display();
            tracing::warn!(target: "dooers::store", %path, "the database can be written again");
        }
    }

    /// The reason why nothing may be written now, if there is one.
    pub(super) fn refusal(&self) -> Option<Away> {
        self.is_gone().then(|| {
            let path = self.path().display();
            Away(format!(
                "a file of `{path}` was removed, moved or replaced while it is open"
            ))
        })
    }

    /// The reason why the server should be sent no clients now, if there is one.
    pub(super) fn trouble(&self) -> Option<Away> {
        let full = || {
            let path = self.path().display();
            self.is_full()
                .then(|| Away(format!("`{path}` could not be written")))
        };
        self.refusal().or_else(full)
    }
}
