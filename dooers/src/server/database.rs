//! Which store a server keeps its conversations in.

use crate::store::{MemoryStore, Store, StoreError};
#[cfg(feature = "sqlite")]
use crate::store::{SqliteOptions, SqliteStore};
use std::sync::Arc;

/// Which store a server keeps its conversations in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Database {
    /// A SQLite file. The default: `worker.db` in the working directory.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteOptions),
    /// The process's memory: gone when it ends.
    Memory,
    /// A store of the program's own.
    Custom(Arc<dyn Store>),
}

impl Default for Database {
    #[cfg(feature = "sqlite")]
    fn default() -> Self {
        Self::Sqlite(SqliteOptions::new("worker.db"))
    }

    #[cfg(not(feature = "sqlite"))]
    fn default() -> Self {
        Self::Memory
    }
}

impl Database {
    pub(super) async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => Arc::new(SqliteStore::open(options.clone()).await?),
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Custom(store) => Arc::clone(store),
        })
    }
}
