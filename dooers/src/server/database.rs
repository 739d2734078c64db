//! The store in which a server keeps its conversations.

use crate::store::{MemoryStore, Store, StoreError};
#[cfg(feature = "postgres")]
use crate::store::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
use crate::store::{SqliteOptions, SqliteStore};
use std::sync::Arc;

/// The store in which a server keeps its conversations.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "a program has a single value of this type, and a box would make it harder to write"
)]
pub enum Database {
    /// A SQLite file. The default: `worker.db` in the working directory.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteOptions),
    /// A PostgreSQL database, which several processes may share.
    #[cfg(feature = "postgres")]
    Postgres(PostgresOptions),
    /// The memory of the process. Everything in it is lost when the process ends.
    Memory,
    /// A store that the program has opened.
    Custom(Arc<dyn Store>),
}

impl Default for Database {
    fn default() -> Self {
        #[cfg(feature = "sqlite")]
        return Self::Sqlite(SqliteOptions::new("worker.db"));
        // Without the feature `sqlite`, the default still keeps conversations when the process ends.
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
