//! Encryption of stored secrets.

use crate::agents::{Few, few};
use dooers::prelude::*;
use dooers::settings::Keyring;
use dooers::store::{SqliteOptions, SqliteStore, Store, StoredSetting, WorkerKey};
use dooers::{Database, WorkerServer};
use dooers_tests::within;
use serde_json::json;
use std::path::Path;
use tokio::task::yield_now;

pub(crate) const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const OTHER: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

fn worker(path: &Path, keys: Option<&str>) -> WorkerServer {
    let database = Database::Sqlite(SqliteOptions::new(path));
    let config = WorkerConfig::new().database(database);
    let config = match keys {
        Some(keys) => config.secret_keys(keys.parse::<Keyring>().unwrap()),
        None => config,
    };
    WorkerServer::new(config).agent::<few>()
}

async fn set(path: &Path, keys: Option<&str>, secret: &str) {
    let worker = worker(path, keys);
    let settings = worker.settings::<Few>("w1").await.unwrap();
    settings
        .set(|few| few.key = Some(Secret::new(secret)))
        .await
        .unwrap();
    worker.close().await;
}

async fn read(path: &Path, keys: Option<&str>) -> Result<String, String> {
    let worker = worker(path, keys);
    let read = async {
        let settings = worker
            .settings::<Few>("w1")
            .await
            .map_err(|error| error.to_string())?;
        let few = settings.get().await.map_err(|error| error.to_string())?;
        Ok(few
            .key
            .map_or_else(String::new, |key| key.expose().to_owned()))
    };
    let read = read.await;
    worker.close().await;
    read
}

async fn stored(path: &Path) -> StoredSetting {
    let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
    let key = WorkerKey {
        agent: "few".to_owned(),
        worker_id: "w1".to_owned(),
    };
    let mut rows = store.settings(&key).await.unwrap();
    store.close().await;
    rows.remove(0)
}

#[tokio::test]
async fn file_has_no_plain_secret_with_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.db");
    set(&path, Some(ONE), "correct horse").await;
    let bytes = std::fs::read(&path).unwrap();
    let is_there = bytes.windows(5).any(|bytes| bytes == b"horse");
    assert!(!is_there);
    assert!(stored(&path).await.key_id.is_some());
    assert_eq!(read(&path, Some(ONE)).await.unwrap(), "correct horse");
}

#[tokio::test]
async fn plain_secret_is_sealed_when_set_with_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.db");
    set(&path, None, "plain").await;
    assert_eq!(stored(&path).await.value, json!("plain"));
    assert_eq!(read(&path, None).await.unwrap(), "plain");
    assert_eq!(read(&path, Some(ONE)).await.unwrap(), "plain");
    set(&path, Some(ONE), "sealed").await;
    assert_ne!(stored(&path).await.value, json!("sealed"));
    assert_eq!(read(&path, Some(ONE)).await.unwrap(), "sealed");
}

/// Returns true if any file in this directory contains the text.
fn has(directory: &Path, text: &str) -> bool {
    let mut files = std::fs::read_dir(directory).unwrap();
    files.any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

#[tokio::test]
async fn sealed_secret_leaves_no_plain_text_on_disk() {
    // The long secret needs overflow pages.
    for secret in [
        "correct horse".to_owned(),
        format!("correct horse {}", "x".repeat(9_000)),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("worker.db");
        set(&path, None, &secret).await;
        assert!(has(directory.path(), "correct horse"));
        let worker = worker(&path, Some(ONE));
        let settings = worker.settings::<Few>("w1").await.unwrap();
        settings
            .set(|few| few.key = Some(Secret::new(&secret)))
            .await
            .unwrap();
        // A read that ends at this moment may delay the removal.
        let removed = async {
            while has(directory.path(), "correct horse") || has(directory.path(), "xxxxxxxx") {
                yield_now().await;
            }
        };
        within("the plain secret to be removed", removed).await;
        worker.close().await;
        assert!(!has(directory.path(), "correct horse"));
        assert!(!has(directory.path(), "xxxxxxxx"));
        assert_eq!(read(&path, Some(ONE)).await.unwrap(), secret);
    }
}

#[tokio::test]
async fn new_key_is_added_in_front_of_the_old_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.db");
    set(&path, Some(ONE), "first").await;
    let before = stored(&path).await.key_id;
    let both = format!("{OTHER},{ONE}");
    assert_eq!(read(&path, Some(&both)).await.unwrap(), "first");
    set(&path, Some(&both), "second").await;
    assert_ne!(stored(&path).await.key_id, before);
    assert_eq!(read(&path, Some(OTHER)).await.unwrap(), "second");
}

#[tokio::test]
async fn wrong_or_missing_key_fails_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.db");
    set(&path, Some(ONE), "hush").await;
    let key = stored(&path).await.key_id.unwrap();
    for keys in [None, Some(OTHER)] {
        let error = read(&path, keys).await.unwrap_err();
        assert!(
            error.contains("WORKER_SECRET_KEY") && error.contains(&key),
            "{error}"
        );
    }
    assert_eq!(read(&path, Some(ONE)).await.unwrap(), "hush");
}
