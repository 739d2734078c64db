//! Where a SQLite store is, and how it is opened.

use crate::store::TablePrefix;
use std::path::PathBuf;
use std::time::Duration;

/// Where a SQLite store is, and how it is opened.
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
    /// A store in the file of this path, which is made if there is none.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            table_prefix: TablePrefix::default(),
            auto_migrate: true,
            busy_timeout: Duration::from_secs(5),
            readers: 4,
        }
    }

    /// What the names of the tables begin with; `worker_` unless told.
    #[must_use]
    pub fn table_prefix(mut self, table_prefix: TablePrefix) -> Self {
        self.table_prefix = table_prefix;
        self
    }

    /// Whether missing tables are made and old ones brought up to date, as happens unless told. If not, opening
    /// a database that needs it is an error.
    #[must_use]
    pub fn auto_migrate(mut self, auto_migrate: bool) -> Self {
        self.auto_migrate = auto_migrate;
        self
    }

    /// How long to wait for another program that locks the database; 5 seconds unless told.
    #[must_use]
    pub fn busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// How many connections read; 4 unless told, and at least 1.
    #[must_use]
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers.max(1);
        self
    }
}
