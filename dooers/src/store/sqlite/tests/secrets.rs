//! Tests that deleted data is not in any byte of the files.

use super::trouble::on_writer;
use super::*;
use crate::protocol::timestamp;
use crate::store::{StoredSetting, WorkerKey};

fn worker() -> WorkerKey {
    WorkerKey {
        agent: "echo".to_owned(),
        worker_id: "w".to_owned(),
    }
}

fn setting(number: usize, value: &str, key_id: Option<&str>) -> StoredSetting {
    StoredSetting {
        field_id: format!("secret-{number}"),
        value: value.into(),
        key_id: key_id.map(str::to_owned),
        updated_at: at(0),
    }
}

/// Returns the texts that occur in a file of the store.
pub(super) fn found<'a>(test: &TestStore, texts: &'a [String]) -> Vec<&'a str> {
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(test.directory.path()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let is_there = |text: &&String| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
    texts.iter().filter(is_there).map(String::as_str).collect()
}

/// The lengths of the secrets. Each secret begins and ends with a unique text. The longest ones need their own pages.
const LENGTHS: [usize; 8] = [20, 200, 900, 1_100, 4_000, 5_000, 20_000, 100_000];

/// The unique texts at the beginning and the end of a secret.
fn ends(number: usize) -> [String; 2] {
    [format!("<begin-{number:04}>"), format!("<end-{number:04}>")]
}

fn secret(number: usize) -> String {
    let [begin, end] = ends(number);
    let length = LENGTHS[number % LENGTHS.len()];
    format!("{begin}{}{end}", "s".repeat(length))
}

#[tokio::test]
async fn sealed_secrets_leave_no_plain_text() {
    let test = TestStore::open().await;
    let store = &test.store;
    for n in 0..40 {
        begun(store, &format!("t{n}")).await;
    }
    let texts: Vec<String> = (0..40).flat_map(ends).collect();
    for n in 0..40 {
        let plain = vec![setting(n, &secret(n), None)];
        store.put_settings(&worker(), plain).await.unwrap();
        store.setting_keys().await.unwrap();
    }
    assert_eq!(found(&test, &texts).len(), texts.len());
    // Some are set together, and some are removed.
    let sealed = |n| setting(n, &format!("{n} sealed"), Some("key"));
    for n in 0..10 {
        store
            .put_settings(&worker(), vec![sealed(n)])
            .await
            .unwrap();
        assert_eq!(found(&test, &ends(n)), [""; 0], "{n}");
    }
    let together = (10..30).map(sealed).collect();
    store.put_settings(&worker(), together).await.unwrap();
    for n in 30..40 {
        let id = format!("secret-{n}");
        store.remove_setting(&worker(), &id).await.unwrap();
    }
    assert_eq!(found(&test, &texts), [""; 0]);
    let test = test.reopen().await;
    assert_eq!(test.store.settings(&worker()).await.unwrap().len(), 30);
    test.store.close().await;
    assert_eq!(found(&test, &texts), [""; 0]);
}

#[tokio::test]
async fn a_reader_only_delays_the_end_of_a_plain_secret() {
    let test = TestStore::open().await;
    let texts = ends(3).to_vec();
    let plain = vec![setting(3, &secret(3), None)];
    test.store.put_settings(&worker(), plain).await.unwrap();
    let reader = rusqlite::Connection::open(&test.options.path).unwrap();
    let read = "BEGIN; SELECT count(*) FROM worker_settings";
    reader.execute_batch(read).unwrap();
    let sealed = vec![setting(3, "sealed", Some("key"))];
    test.store.put_settings(&worker(), sealed).await.unwrap();
    assert_eq!(found(&test, &texts).len(), 2);
    reader.execute_batch("ROLLBACK").unwrap();
    drop(reader);
    let gone = async {
        while !found(&test, &texts).is_empty() {
            on_writer(&test.store, "SELECT 1").await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(20), gone).await;
    gone.expect("the log should be emptied after the reader has ended");
}

#[tokio::test]
async fn killed_store_leaves_no_plain_text_once_reopened() {
    let test = TestStore::open().await;
    let texts = ends(4).to_vec();
    let plain = vec![setting(4, &secret(4), None)];
    test.store.put_settings(&worker(), plain).await.unwrap();
    // Simulates a process that is killed before it empties its log: copies the files at that point.
    on_writer(
        &test.store,
        "UPDATE worker_settings SET value = '\"sealed\"', key_id = 'key'; SELECT 1",
    )
    .await;
    let copy = tempfile::tempdir().unwrap();
    for name in ["worker.db", "worker.db-wal"] {
        std::fs::copy(test.directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let options = SqliteOptions::new(copy.path().join("worker.db"));
    let store = SqliteStore::open(options.clone()).await.unwrap();
    let copied = TestStore {
        store,
        options,
        directory: copy,
    };
    assert_eq!(found(&copied, &texts), [""; 0]);
    assert_eq!(
        copied.store.settings(&worker()).await.unwrap()[0].value,
        "sealed"
    );
}

#[tokio::test]
async fn users_of_deleted_threads_are_in_no_byte() {
    let test = TestStore::open().await;
    let store = &test.store;
    let user = |n: usize| User::new(format!("<user-{n:04}>"));
    for n in 0..60 {
        let (thread, first) = (format!("t{n}"), format!("e{n}"));
        let mut new = first_message(&thread, &first);
        new.user = user(n);
        new.participant = Participant::user(&new.user);
        store
            .begin_turn(&scope(), new, &start(&format!("r{n}")))
            .await
            .unwrap();
    }
    let ids: Vec<String> = (0..50).map(|n| user(n).user_id).collect();
    for n in 0..50 {
        store
            .delete_thread(&scope(), &format!("t{n}"))
            .await
            .unwrap();
    }
    assert_eq!(found(&test, &ids).len(), 50, "the ids of their messages");
    let later = timestamp::now() + chrono::TimeDelta::days(1);
    while store.forget_sent(later, 20).await.unwrap() > 0 {}
    assert_eq!(found(&test, &ids), [""; 0]);
    let kept: Vec<String> = (50..60).map(|n| user(n).user_id).collect();
    assert_eq!(found(&test, &kept).len(), 10);
    store.close().await;
    assert_eq!(found(&test, &ids), [""; 0]);
}

#[tokio::test]
async fn a_deletion_ahead_of_the_clock_counts_from_now() {
    let test = TestStore::open().await;
    begun(&test.store, "t").await;
    test.store.delete_thread(&scope(), "t").await.unwrap();
    on_writer(
        &test.store,
        "UPDATE worker_sent SET deleted_at = deleted_at + 400000000000000; SELECT 1",
    )
    .await;
    let now = timestamp::now();
    let before = now - chrono::TimeDelta::days(7);
    assert_eq!(test.store.forget_sent(before, 9).await.unwrap(), 0);
    let later = now + chrono::TimeDelta::days(7);
    assert_eq!(test.store.forget_sent(later, 9).await.unwrap(), 1);
}
