//! The stores that the suite runs over.
//!
//! Another one is a function here that opens it empty, and a line in `cases`.

use dooers::store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use std::any::Any;
use std::sync::Arc;

/// A store of any kind.
pub(crate) type AnyStore = Arc<dyn Store>;

/// An empty store, and what must outlive it: the directory of its file, for example.
pub(crate) struct Opened {
    pub(crate) store: AnyStore,
    _outlives_it: Box<dyn Any + Send>,
}

pub(crate) async fn memory() -> Option<Opened> {
    Some(Opened {
        store: Arc::new(MemoryStore::new()),
        _outlives_it: Box::new(()),
    })
}

pub(crate) async fn sqlite() -> Option<Opened> {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    Some(Opened {
        store: Arc::new(SqliteStore::open(options).await.unwrap()),
        _outlives_it: Box::new(directory),
    })
}

/// None where there is no database; a line says so then.
pub(crate) async fn on_postgres() -> Option<Opened> {
    let url = std::env::var("DOOERS_TEST_POSTGRES_URL").ok()?;
    let random = dooers_random();
    let options = dooers::store::PostgresOptions::from_url(&url)
        .unwrap()
        .pool_size(3)
        .table_prefix(format!("t{random:016x}_").parse().unwrap());
    Some(Opened {
        store: Arc::new(dooers::store::PostgresStore::open(options).await.unwrap()),
        _outlives_it: Box::new(()),
    })
}

fn dooers_random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}

/// Makes one test of each of these cases for each store.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        crate::stores::cases_of!(memory: $($case),+);
        crate::stores::cases_of!(sqlite: $($case),+);
        crate::stores::cases_of!(on_postgres: $($case),+);
    };
}

macro_rules! cases_of {
    ($store:ident: $($case:ident),+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some(opened) = crate::stores::$store().await else {
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
