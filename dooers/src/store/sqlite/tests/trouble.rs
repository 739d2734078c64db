//! Tests of durability, and of closing the store.

use super::*;
use crate::store::sql::Stop;
use crate::store::sqlite::batch::SqliteOperation;
use crate::store::sqlite::database::WriterDatabase;
use crate::store::{SnapshotFrom, StoreError};

/// Runs SQL on the writer's connection and returns the first value of the result.
#[derive(Debug)]
pub(super) struct Run(pub(super) String);

impl SqliteOperation for Run {
    type Answer = Option<String>;
    const WHAT: &'static str = "test";

    fn run(&self, db: &WriterDatabase) -> Result<Option<String>, Stop> {
        if self.0.contains(';') {
            db.connection().execute_batch(&self.0)?;
            return Ok(None);
        }
        db.first(&self.0, [], |row| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            })
        })
    }
}

pub(super) async fn on_writer(store: &SqliteStore, sql: &str) -> Option<String> {
    store.writer.run(Run(sql.to_owned())).await.unwrap()
}

#[tokio::test]
async fn the_writer_waits_for_the_disk() {
    let test = TestStore::open().await;
    let expected = [
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA synchronous", "2"),
        ("PRAGMA foreign_keys", "1"),
        ("PRAGMA busy_timeout", "5000"),
        ("PRAGMA wal_autocheckpoint", "4000"),
        ("PRAGMA journal_size_limit", "67108864"),
        ("PRAGMA cache_size", "-16384"),
        ("PRAGMA application_id", "1685024613"),
        ("PRAGMA secure_delete", "1"),
    ];
    for (pragma, value) in expected {
        let found = on_writer(&test.store, pragma).await;
        assert_eq!(found.as_deref(), Some(value), "{pragma}");
    }
}

#[tokio::test]
async fn answered_operations_survive_a_close() {
    let test = TestStore::open().await;
    let key = begun(&test.store, "t").await;
    let test = test.reopen().await;
    let changes = vec![said("t", "e", "still here")];
    let next = start("r2");
    let written = test
        .store
        .finish_turn(&scope(), &key, changes, Some(&next))
        .await;
    assert_eq!(written.unwrap().changes.len(), 1);
    let test = test.reopen().await;
    let from = SnapshotFrom::Newest;
    let snapshot = test
        .store
        .snapshot(&scope(), "t", &from, usize::MAX)
        .await
        .unwrap();
    assert_eq!(snapshot.events[1].id, "e");
    let files = std::fs::read_dir(test.directory.path()).unwrap().count();
    test.store.close().await;
    assert_eq!(files, 4, "database, lock, log and the log's index");
    let mut left: Vec<_> = std::fs::read_dir(test.directory.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["worker.db", "worker.db-lock"]);
}

#[tokio::test]
async fn a_store_that_is_dropped_is_free_at_once() {
    let test = TestStore::open().await;
    for n in 0..5 {
        begun(&test.store, &format!("t{n}")).await;
    }
    drop(test.store);
    let store = SqliteStore::open(test.options).await.unwrap();
    let page = store.threads(&scope(), None, 10.into()).await.unwrap();
    assert_eq!(page.total_count, 5);
}

#[tokio::test]
async fn a_closed_store_says_so_and_closes_again() {
    let test = TestStore::open().await;
    test.store.close().await;
    test.store.close().await;
    let new = first_message("t", "e");
    let error = test.store.begin_turn(&scope(), new, &start("r")).await;
    assert!(matches!(error, Err(StoreError::Failed { .. })));
    let error = test.store.thread(&scope(), "t").await;
    assert!(matches!(error, Err(StoreError::Failed { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_what_was_begun() {
    let test = std::sync::Arc::new(TestStore::open().await);
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let test = std::sync::Arc::clone(&test);
            tokio::spawn(async move {
                let new = first_message(&format!("t{n}"), &format!("e{n}"));
                test.store.begin_turn(&scope(), new, &start("r")).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    test.store.close().await;
    let mut stored = 0;
    for task in tasks {
        stored += u64::from(task.await.unwrap().is_ok());
    }
    let store = SqliteStore::open(test.options.clone()).await.unwrap();
    let page = store.threads(&scope(), None, 1.into()).await.unwrap();
    assert_eq!(page.total_count, stored);
}

#[tokio::test]
async fn values_come_back_as_they_were() {
    let test = TestStore::open().await;
    let mut data = serde_json::json!({
        "float": [0.1, 1.0, 1e300, 5e-324, 123_456_789.123_456_79, 0.300_000_000_000_000_04, -0.0],
        "numbers": [i64::MIN, u64::MAX, 0],
        "text": "\u{0}'\"\\ä🦀\u{feff}",
        "null": null,
    });
    for n in 0..200_u64 {
        let bits = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let float = f64::from_bits(bits & 0x7fdf_ffff_ffff_ffff);
        data["float"].as_array_mut().unwrap().push(float.into());
    }
    let deepest = (0..127).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
    for (n, data) in [data, deepest, serde_json::Value::Null]
        .into_iter()
        .enumerate()
    {
        let mut new = first_message(&format!("t{n}"), &format!("e{n}"));
        new.data = Some(data);
        new.content = vec![
            ContentPart::text("\u{0}nul"),
            ContentPart::image("u").into(),
        ];
        let sent = new.clone();
        test.store
            .begin_turn(&scope(), new, &start("r"))
            .await
            .unwrap();
        let from = SnapshotFrom::Newest;
        let id = sent.thread.id();
        let snapshot = test
            .store
            .snapshot(&scope(), id, &from, usize::MAX)
            .await
            .unwrap();
        assert_eq!(snapshot.events[0], sent.event(1));
        let again = test
            .store
            .begin_turn(&scope(), sent, &start("r"))
            .await
            .unwrap();
        assert!(again.is_repeated);
    }
}

#[tokio::test]
async fn deleted_thread_leaves_only_ids_of_sent_messages() {
    let test = TestStore::open().await;
    let counts = [
        ("threads", 1),
        ("participants", 1),
        ("participant_counts", 1),
        ("events", 1),
        ("runs", 1),
        ("turns", 1),
        ("sent", 1),
    ];
    begun(&test.store, "t").await;
    for (table, rows) in counts {
        let sql = format!("SELECT count(*) FROM worker_{table}");
        assert_eq!(
            on_writer(&test.store, &sql).await,
            Some(rows.to_string()),
            "{table}"
        );
    }
    test.store.delete_thread(&scope(), "t").await.unwrap();
    for (table, _) in counts {
        let sql = format!("SELECT count(*) FROM worker_{table}");
        let left = if table == "sent" { "1" } else { "0" };
        assert_eq!(
            on_writer(&test.store, &sql).await.as_deref(),
            Some(left),
            "{table}"
        );
    }
    let page = test.store.threads(&scope(), None, 10.into()).await.unwrap();
    assert_eq!((page.total_count, page.threads.len()), (0, 0));
    let again = first_message("t2", "t-first");
    let answer = test.store.begin_turn(&scope(), again, &start("r")).await;
    assert!(matches!(answer, Err(StoreError::NotFound("thread"))));
}

#[tokio::test]
async fn a_list_keeps_its_order_after_a_restart() {
    let test = TestStore::open().await;
    let mut old = first_message("old", "e1");
    old.at = at(1_000_000);
    test.store
        .begin_turn(&scope(), old, &start("r1"))
        .await
        .unwrap();
    // The clock is set back while the server is down.
    let test = test.reopen().await;
    let new = first_message("new", "e2");
    test.store
        .begin_turn(&scope(), new, &start("r2"))
        .await
        .unwrap();
    let page = test.store.threads(&scope(), None, 9.into()).await.unwrap();
    let listed: Vec<_> = page
        .threads
        .iter()
        .map(|thread| (thread.id.as_str(), thread.last_event_at))
        .collect();
    // The run of `old` started one microsecond after it.
    assert_eq!(listed, [("new", at(1_000_002)), ("old", at(1_000_000))]);
}

#[tokio::test]
async fn private_threads_are_counted_for_each_participant() {
    let test = TestStore::open().await;
    let bob = Participant::user(&User::new("bob"));
    let of_bob = Scope {
        viewer: Viewer::Only(bob.clone()),
        ..scope()
    };
    for n in 0..7 {
        begun(&test.store, &format!("t{n}")).await;
        if n % 3 == 0 {
            let mut new = next_message(&format!("t{n}"), &format!("bob{n}"));
            new.user = User::new("bob");
            new.participant = bob.clone();
            new.at = at(100 + n);
            test.store
                .begin_turn(&scope(), new, &start("r"))
                .await
                .unwrap();
        }
    }
    let page = test.store.threads(&of_bob, None, 2.into()).await.unwrap();
    assert_eq!(page.total_count, 3);
    let ids = |page: &crate::store::ThreadPage| {
        page.threads
            .iter()
            .map(|t| t.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&page), ["t6", "t3"]);
    let rest = test
        .store
        .threads(&of_bob, page.next.as_ref(), 2.into())
        .await
        .unwrap();
    assert_eq!(ids(&rest), ["t0"]);
    assert!(rest.next.is_none());
    test.store.delete_thread(&of_bob, "t3").await.unwrap();
    let page = test.store.threads(&of_bob, None, 2.into()).await.unwrap();
    assert_eq!(page.total_count, 2);
    assert_eq!(
        test.store
            .threads(&scope(), None, 2.into())
            .await
            .unwrap()
            .total_count,
        6
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_of_one_moment_while_others_write() {
    let test = std::sync::Arc::new(TestStore::open().await);
    let key = begun(&test.store, "t").await;
    let writing = {
        let test = std::sync::Arc::clone(&test);
        tokio::spawn(async move {
            for n in 0..300 {
                let text = vec![said("t", &format!("e{n}"), "x")];
                test.store.write_turn(&scope(), &key, text).await.unwrap();
            }
        })
    };
    let mut seen = std::collections::HashSet::new();
    while !writing.is_finished() {
        let from = SnapshotFrom::Covering("t-first".to_owned());
        let snapshot = test
            .store
            .snapshot(&scope(), "t", &from, usize::MAX)
            .await
            .unwrap();
        let (position, last) = (&snapshot.position, snapshot.events.last().unwrap());
        // The thread and its run are the two changes that are not events.
        assert_eq!(position.rev, position.last_seq + 2);
        assert_eq!(snapshot.thread.rev, position.rev);
        assert_eq!(last.seq, position.last_seq);
        let shown = position.last_seq + 1 - position.first_seq;
        assert_eq!(snapshot.events.len() as u64, shown);
        seen.insert(position.rev);
    }
    writing.await.unwrap();
    assert!(seen.len() > 5, "{} moments", seen.len());
}
