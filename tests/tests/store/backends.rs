//! The stores that the suite runs on.
//!
//! To add a store, write a function here that opens it empty, and add a line to `cases`.

use dooers::store::{
    MemoryStore, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store,
};
use dooers_tests::postgres::{pooled, shared};
use std::any::Any;
use std::sync::Arc;

/// Any store.
pub(crate) type AnyStore = Arc<dyn Store>;

/// An empty store, with the directory of its file if it has one.
pub(crate) struct OpenStore {
    pub(crate) store: AnyStore,
    _outlives_it: Box<dyn Any + Send>,
}

pub(crate) async fn memory() -> Option<OpenStore> {
    Some(OpenStore {
        store: Arc::new(MemoryStore::new()),
        _outlives_it: Box::new(()),
    })
}

pub(crate) async fn sqlite() -> Option<OpenStore> {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    Some(OpenStore {
        store: Arc::new(SqliteStore::open(options).await.unwrap()),
        _outlives_it: Box::new(directory),
    })
}

/// Returns `None`, and prints a line, if no database is configured.
pub(crate) async fn on_postgres() -> Option<OpenStore> {
    Some(opened(shared()?).await)
}

/// A PostgreSQL store through PgBouncer. Returns `None`, and prints a line, if none is configured.
pub(crate) async fn on_postgres_pooled() -> Option<OpenStore> {
    Some(opened(pooled()?).await)
}

async fn opened(options: PostgresOptions) -> OpenStore {
    let store = PostgresStore::open(options.pool_size(3)).await.unwrap();
    OpenStore {
        store: Arc::new(store),
        _outlives_it: Box::new(()),
    }
}

/// Generates one test per case and store. The cases after `not_pooled` send thousands of requests. A pooler doubles their time
/// and adds nothing that the other cases do not test.
macro_rules! cases {
    ($($case:ident),+; not_pooled: $($long:ident),+ $(,)?) => {
        crate::backends::cases_of!(memory: $($case),+, $($long),+);
        crate::backends::cases_of!(sqlite: $($case),+, $($long),+);
        crate::backends::cases_of!(on_postgres: $($case),+, $($long),+);
        crate::backends::cases_of!(on_postgres_pooled: $($case),+);
    };
    ($($case:ident),+ $(,)?) => {
        crate::backends::cases_of!(memory: $($case),+);
        crate::backends::cases_of!(sqlite: $($case),+);
        crate::backends::cases_of!(on_postgres: $($case),+);
        crate::backends::cases_of!(on_postgres_pooled: $($case),+);
    };
}

macro_rules! cases_of {
    ($store:ident: $($case:ident),+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some(opened) = crate::backends::$store().await else {
                        return;
                    };
                    super::$case(&opened.store).await;
                    opened.store.close().await;
                }
            )+
        }
    };
}

pub(crate) use {cases, cases_of};
