//! Key rotation: a secret that is set again is sealed with the newest key, even if its value is the same.

use crate::agents::{Few, few};
use crate::asserts::{patch, subscribed};
use crate::sealed_secrets::{ONE, OTHER};
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::store::{
    MemoryStore, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, StoredSetting,
    WorkerKey,
};
use dooers::{Database, WorkerServer};
use dooers_tests::{Server, SpyStore, in_memory};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;

/// A store that outlives its servers.
enum Backend {
    Memory(Arc<dyn Store>),
    Sqlite(SqliteOptions),
    Postgres(Box<PostgresOptions>),
}

/// A way to set a secret.
#[derive(Debug, Clone, Copy)]
enum Way {
    Repository,
    Field,
    Struct,
    Patch,
}

impl Backend {
    /// A server with these keys.
    fn worker(&self, keys: Option<&str>) -> WorkerServer {
        let config = in_memory().database(match self {
            Self::Memory(store) => Database::Custom(Arc::clone(store)),
            Self::Sqlite(options) => Database::Sqlite(options.clone()),
            Self::Postgres(options) => Database::Postgres((**options).clone()),
        });
        let config = match keys {
            Some(keys) => config.secret_keys(keys.parse().unwrap()),
            None => config,
        };
        WorkerServer::new(config).agent::<few>()
    }

    /// The stored secret, read while no server runs.
    async fn stored(&self) -> StoredSetting {
        let store: Arc<dyn Store> = match self {
            Self::Memory(store) => Arc::clone(store),
            Self::Sqlite(options) => Arc::new(SqliteStore::open(options.clone()).await.unwrap()),
            Self::Postgres(options) => {
                Arc::new(PostgresStore::open((**options).clone()).await.unwrap())
            }
        };
        let key = WorkerKey {
            agent: "few".to_owned(),
            worker_id: "w1".to_owned(),
        };
        let rows = store.settings(&key).await.unwrap();
        store.close().await;
        let is_secret = |row: &StoredSetting| row.field_id == "key";
        rows.into_iter().find(is_secret).unwrap()
    }
}

/// Sets only the secret.
async fn set(worker: &WorkerServer, way: Way, secret: &str) {
    let settings = worker.settings::<Few>("w1").await.unwrap();
    let secret = secret.to_owned();
    match way {
        Way::Repository => {
            let repository = worker.repository().await.unwrap();
            let scope = Scope::everyone::<few>("w1");
            repository.set_setting(&scope, "key", secret).await.unwrap();
        }
        Way::Field => {
            let set = |few: &mut Few| few.key = Some(Secret::new(secret));
            settings.set(set).await.unwrap();
        }
        Way::Struct => {
            let mut whole = settings.get().await.unwrap();
            whole.key = Some(Secret::new(secret));
            settings.set(|few| *few = whole).await.unwrap();
        }
        Way::Patch => {
            let server = Server::start(worker.clone()).await;
            let mut client = server.client("ada").await;
            patch(&mut client, "key", json!(secret)).await;
            server.close([client]).await;
        }
    }
}

/// Sets a secret, changes the keys, and sets the same secret again.
async fn rotate(backend: &Backend, way: Way, keys: [Option<&str>; 2]) {
    let worker = backend.worker(keys[0]);
    set(&worker, Way::Field, "hush").await;
    worker.close().await;
    let before = backend.stored().await;

    let worker = backend.worker(keys[1]);
    let settings = worker.settings::<Few>("w1").await.unwrap();
    settings.set(|few| few.second += 1).await.unwrap();
    let repository = worker.repository().await.unwrap();
    let scope = Scope::everyone::<few>("w1");
    repository.set_setting(&scope, "first", 5).await.unwrap();
    worker.close().await;
    assert_eq!(backend.stored().await, before, "another field was set");

    let worker = backend.worker(keys[1]);
    set(&worker, way, "hush").await;
    worker.close().await;
    let after = backend.stored().await;
    assert!(after.key_id.is_some(), "{way:?}");
    assert_ne!(after.key_id, before.key_id, "{way:?}");
    assert_ne!(after.value, json!("hush"), "{way:?}");

    let worker = backend.worker(Some(OTHER));
    let settings = worker.settings::<Few>("w1").await.unwrap();
    let secret = settings.get().await.unwrap().key.unwrap();
    assert_eq!(secret.expose(), "hush", "{way:?}");
    let repository = worker.repository().await.unwrap();
    repository.remove_setting(&scope, "key").await.unwrap();
    worker.close().await;
}

async fn old_key_can_go(backend: &Backend) {
    let both = format!("{OTHER},{ONE}");
    for way in [Way::Repository, Way::Field, Way::Struct, Way::Patch] {
        rotate(backend, way, [None, Some(OTHER)]).await;
        rotate(backend, way, [Some(ONE), Some(&both)]).await;
    }
}

mod memory {
    use super::*;

    #[tokio::test]
    async fn secret_set_again_uses_the_new_key() {
        old_key_can_go(&Backend::Memory(Arc::new(MemoryStore::new()))).await;
    }
}

mod sqlite {
    use super::*;

    #[tokio::test]
    async fn secret_set_again_uses_the_new_key() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("worker.db"));
        old_key_can_go(&Backend::Sqlite(options)).await;
    }
}

mod on_postgres {
    use super::*;

    #[tokio::test]
    async fn secret_set_again_uses_the_new_key() {
        let Some(options) = dooers_tests::postgres::shared() else {
            return;
        };
        old_key_can_go(&Backend::Postgres(Box::new(options))).await;
    }
}

/// Unsets the secret.
async fn clear(worker: &WorkerServer) {
    let repository = worker.repository().await.unwrap();
    let scope = Scope::everyone::<few>("w1");
    let cleared = repository.set_setting(&scope, "key", Value::Null).await;
    cleared.unwrap();
}

#[tokio::test]
async fn equal_secret_is_stored_but_not_published() {
    let store = SpyStore::memory();
    let worker = Backend::Memory(Arc::clone(&store) as _).worker(Some(ONE));
    let server = Server::start(worker.clone()).await;
    let (mut client, _) = subscribed(&server, "member", "user").await;
    for (number, way) in [Way::Repository, Way::Field, Way::Struct]
        .into_iter()
        .enumerate()
    {
        set(&worker, way, "hush").await;
        assert_eq!(store.calls("put_settings"), number + 1, "{way:?}");
    }
    client.expect("settings.patch").await;
    client.expect_nothing().await;

    let settings = worker.settings::<Few>("w1").await.unwrap();
    let mut changes = settings.watch();
    set(&worker, Way::Field, "hush").await;
    assert_eq!(changes.next().now_or_never(), None);
    // A client updates its form only when the frame arrives.
    let published = patch(&mut client, "key", json!("hush")).await;
    assert_eq!(published["field_id"], "key");
    assert_eq!(changes.next().await.unwrap().field_id, "key");
    server.close([client]).await;
}

#[tokio::test]
async fn unassigned_secret_is_not_stored() {
    let store = SpyStore::memory();
    let worker = Backend::Memory(Arc::clone(&store) as _).worker(Some(ONE));
    let settings = worker.settings::<Few>("w1").await.unwrap();
    // There is nothing to seal.
    settings.set(|few| few.key = None).await.unwrap();
    clear(&worker).await;
    assert_eq!(store.calls("put_settings"), 0);
    set(&worker, Way::Field, "hush").await;
    assert_eq!(store.calls("put_settings"), 1);
    // Reading a secret and moving it back is not an assignment.
    let move_it = |few: &mut Few| {
        let key = few.key.take();
        assert_eq!(key.as_ref().unwrap().expose(), "hush");
        few.key = key;
    };
    settings.set(move_it).await.unwrap();
    assert_eq!(store.calls("put_settings"), 1);
    // Assigning an equal copy is an assignment.
    settings.set(|few| few.key = few.key.clone()).await.unwrap();
    assert_eq!(store.calls("put_settings"), 2);
    worker.close().await;
}

#[tokio::test]
async fn invalid_stored_secret_is_replaced() {
    let backend = Backend::Memory(Arc::new(MemoryStore::new()));
    let worker = backend.worker(Some(ONE));
    set(&worker, Way::Field, "hush").await;
    worker.close().await;
    let Backend::Memory(store) = &backend else {
        unreachable!();
    };
    let row = StoredSetting {
        value: json!(["not a text"]),
        key_id: None,
        ..backend.stored().await
    };
    let key = WorkerKey {
        agent: "few".to_owned(),
        worker_id: "w1".to_owned(),
    };
    store.put_settings(&key, vec![row]).await.unwrap();
    let worker = backend.worker(Some(ONE));
    clear(&worker).await;
    worker.close().await;
    assert_eq!(backend.stored().await.value, Value::Null);
}
