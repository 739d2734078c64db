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
    /// The memory of the process. Everything in it is lost when the process ends. The default without the features
    /// `sqlite` and `postgres`: a server then prints and logs a warning when it starts.
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
    /// The warning of a server that keeps conversations in memory although neither the program nor a variable has chosen
    /// that.
    pub(super) fn warning(&self, is_chosen: bool) -> Option<&'static str> {
        (matches!(self, Self::Memory) && !is_chosen).then_some("conversations are kept in memory only and are lost when the program ends, because dooers was built without a database; enable its feature `sqlite` or `postgres`, or set WORKER_DATABASE_TYPE=memory if this is intended")
    }

    /// Opens the store, and logs the warning about it.
    pub(super) async fn open(&self, is_chosen: bool) -> Result<Arc<dyn Store>, StoreError> {
        if let Some(warning) = self.warning(is_chosen) {
            tracing::warn!(target: "dooers::store", "{warning}");
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_capture::CapturedLog;

    /// The log output of opening a store in memory.
    async fn log_of(is_chosen: bool) -> String {
        let (log, _capture) = CapturedLog::start();
        Database::Memory.open(is_chosen).await.unwrap();
        log.text()
    }

    #[tokio::test]
    async fn memory_is_warned_about_unless_it_was_chosen() {
        let log = log_of(false).await;
        assert!(log.contains("WARN"), "{log}");
        let reason = "because dooers was built without a database; enable its feature `sqlite` or `postgres`";
        assert!(log.contains(reason), "{log}");
        assert_eq!(log_of(true).await, "");
    }

    #[test]
    fn memory_is_the_default_only_without_databases() {
        let has_database = cfg!(any(feature = "sqlite", feature = "postgres"));
        let is_memory = matches!(Database::default(), Database::Memory);
        assert_eq!(is_memory, !has_database);
    }
}
