//! Options for opening a SQLite store.

use crate::store::TablePrefix;
use std::path::PathBuf;
use std::time::Duration;

/// Options for opening a SQLite store.
///
/// ```no_run
/// # async fn open() -> Result<(), dooers::store::StoreError> {
/// use dooers::store::{SqliteOptions, SqliteStore};
///
/// let store = SqliteStore::open(SqliteOptions::new("worker.db")).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    pub(super) path: PathBuf,
    pub(super) table_prefix: TablePrefix,
    pub(super) auto_migrate: bool,
    pub(super) busy_timeout: Duration,
    pub(super) readers: u32,
}

impl SqliteOptions {
    /// Options for a store in the file at this path. The file is created if it does not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            table_prefix: TablePrefix::default(),
            auto_migrate: true,
            busy_timeout: Duration::from_secs(5),
            readers: 4,
        }
    }

    /// Sets the prefix of the table names. Default: `worker_`.
    #[must_use]
    pub fn table_prefix(mut self, table_prefix: TablePrefix) -> Self {
        self.table_prefix = table_prefix;
        self
    }

    /// Sets whether missing tables are created and old ones are updated. Default: `true`. If `false`, opening a
    /// database that needs this is an error.
    #[must_use]
    pub fn auto_migrate(mut self, auto_migrate: bool) -> Self {
        self.auto_migrate = auto_migrate;
        self
    }

    /// Sets how long to wait for a lock of another program. Default: 5 seconds.
    #[must_use]
    pub fn busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Sets the number of connections that read, at least 1. Default: 4.
    #[must_use]
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }
}
