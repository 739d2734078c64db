//! Tests of a disk that is full and then has room again.

use super::trouble::on_writer;
use super::*;
use crate::store::{SnapshotFrom, StoreError};

/// Waits until the store is ready, or until it is not.
async fn ready(store: &SqliteStore, is_ready: bool) {
    let asking = async {
        while store.ping().await.is_ok() != is_ready {
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(20), asking).await;
    asked.expect("the store should notice");
}

#[tokio::test]
async fn a_full_disk_is_a_store_that_is_away() {
    let test = TestStore::open().await;
    let key = begun(&test.store, "t").await;
    let pages = on_writer(&test.store, "PRAGMA page_count").await.unwrap();
    on_writer(&test.store, &format!("PRAGMA max_page_count = {pages}")).await;
    let large = || vec![said("t", "large", &"x".repeat(100_000))];
    for _ in 0..3 {
        let failed = test.store.write_turn(&scope(), &key, large()).await;
        let Err(StoreError::Unavailable { what, source }) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!(what, "write in a turn");
        assert!(source.to_string().contains("full"), "{source}");
        let unready = test.store.ping().await;
        assert!(matches!(unready, Err(StoreError::Unavailable { .. })));
    }
    // Small writes succeed in the meantime, and nothing is written partly.
    let changed = vec![TurnChange::Touch(at(9))];
    let small = test.store.write_turn(&scope(), &key, changed).await;
    assert_eq!(small.unwrap()[0].rev, 4);
    ready(&test.store, false).await;
    let from = SnapshotFrom::Newest;
    let snapshot = test
        .store
        .snapshot(&scope(), "t", &from, usize::MAX)
        .await
        .unwrap();
    assert_eq!(snapshot.events.len(), 1);
    on_writer(&test.store, "PRAGMA max_page_count = 1000000").await;
    ready(&test.store, true).await;
    let written = test.store.write_turn(&scope(), &key, large()).await;
    assert_eq!(written.unwrap()[0].rev, 5);
    let spare = on_writer(&test.store, "SELECT count(*) FROM worker_spare").await;
    assert_eq!(spare.as_deref(), Some("0"));
}

#[tokio::test]
async fn a_lock_of_another_program_is_a_store_that_is_away() {
    let test = TestStore::open().await;
    on_writer(&test.store, "PRAGMA busy_timeout = 10").await;
    let other = rusqlite::Connection::open(&test.options.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let new = first_message("t", "e");
    let refused = test.store.begin_turn(&scope(), new, &start("r")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
    ready(&test.store, false).await;
    other.execute_batch("ROLLBACK").unwrap();
    ready(&test.store, true).await;
    begun(&test.store, "t").await;
}
