//! Which store a server keeps its conversations in.

use crate::store::{MemoryStore, Store, StoreError};
#[cfg(feature = "postgres")]
use crate::store::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
use crate::store::{SqliteOptions, SqliteStore};
use std::sync::Arc;

/// Which store a server keeps its conversations in.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "a program has one of them, and boxes are in the way of who writes it"
)]
pub enum Database {
    /// A SQLite file. The default: `worker.db` in the working directory.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteOptions),
    /// A PostgreSQL database, which several processes may share.
    #[cfg(feature = "postgres")]
    Postgres(PostgresOptions),
    /// The process's memory: gone when it ends.
    Memory,
    /// A store that the program has opened.
    Custom(Arc<dyn Store>),
}

impl Default for Database {
    fn default() -> Self {
        #[cfg(feature = "sqlite")]
        return Self::Sqlite(SqliteOptions::new("worker.db"));
        // Nothing that a server is told gets lost for want of a feature.
        #[cfg(all(feature = "postgres", not(feature = "sqlite")))]
        return Self::Postgres(PostgresOptions::new());
        #[cfg(not(any(feature = "postgres", feature = "sqlite")))]
        return Self::Memory;
    }
}

impl Database {
    pub(super) async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => Arc::new(SqliteStore::open(options.clone()).await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => Arc::new(PostgresStore::open(options.clone()).await?),
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Custom(store) => Arc::clone(store),
        })
    }
}
