//! Reads of threads that other processes changed, by their ids alone.

use crate::backends::{AnyStore, cases};
use crate::fixtures::{ana, ben, existing, message, new_thread, now, scope, start};
use dooers::store::{Cancel, CancelTarget, Scope, StoreError, ThreadRecord};

cases![
    rows_of_any_scope_are_read_by_id,
    revs_are_those_of_the_last_changes,
    unknown_threads_are_missing_in_the_result,
    turns_of_any_scope_are_open_until_they_end,
];

fn elsewhere() -> Scope {
    scope().organization("elsewhere")
}

/// The threads `one` and `other`, in two scopes.
async fn two_threads(store: &AnyStore) -> [ThreadRecord; 2] {
    let [scope, elsewhere] = [scope(), elsewhere()];
    for (scope, id, user) in [(&scope, "one", ana()), (&elsewhere, "other", ben())] {
        let new = message(new_thread(id), &format!("{id}-e"), &user);
        store.begin_turn(scope, new, &start(id)).await.unwrap();
    }
    [
        store.thread(&scope, "one").await.unwrap(),
        store.thread(&elsewhere, "other").await.unwrap(),
    ]
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

async fn rows_of_any_scope_are_read_by_id(store: &AnyStore) {
    let threads = two_threads(store).await;
    let rows = store.thread_rows(&ids(&["other", "one"])).await;
    let mut rows: Vec<ThreadRecord> = rows.unwrap();
    rows.sort_by(|one, other| one.thread.id.cmp(&other.thread.id));
    assert_eq!(rows, threads);
    assert_eq!(rows[1].scope(), elsewhere());
    let one = store.thread_rows(&ids(&["one", "one"])).await.unwrap();
    assert_eq!(one[0], threads[0]);
}

async fn revs_are_those_of_the_last_changes(store: &AnyStore) {
    let threads = two_threads(store).await;
    let revs = store.thread_revs(&ids(&["one", "other"])).await.unwrap();
    assert_eq!(revs.len(), 2);
    for thread in &threads {
        assert_eq!(revs[&thread.thread.id], thread.rev);
    }
    let next = message(existing("one"), "next", &ana());
    let begun = store.begin_turn(&scope(), next, &start("r")).await.unwrap();
    let last = begun.changes.iter().map(|change| change.rev).max();
    let revs = store.thread_revs(&ids(&["one"])).await.unwrap();
    assert_eq!(revs.get("one").copied(), last);
}

async fn unknown_threads_are_missing_in_the_result(store: &AnyStore) {
    two_threads(store).await;
    store.delete_thread(&scope(), "one").await.unwrap();
    let gone = store.thread(&scope(), "one").await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
    let asked = ids(&["one", "unknown", "\u{0}", ""]);
    assert_eq!(store.thread_rows(&asked).await.unwrap(), []);
    assert!(store.thread_revs(&asked).await.unwrap().is_empty());
    assert_eq!(store.thread_rows(&[]).await.unwrap(), []);
    assert!(store.thread_revs(&[]).await.unwrap().is_empty());
}

async fn turns_of_any_scope_are_open_until_they_end(store: &AnyStore) {
    two_threads(store).await;
    let asked = ids(&["one-e", "queued", "other-e", "unknown", "\u{0}"]);
    let next = message(existing("one"), "queued", &ana());
    store.begin_turn(&scope(), next, &start("r")).await.unwrap();
    let open = async || {
        let mut open: Vec<_> = store
            .open_turns(&asked)
            .await
            .unwrap()
            .into_iter()
            .collect();
        open.sort();
        open
    };
    assert_eq!(open().await, ids(&["one-e", "other-e", "queued"]));
    let cancel = Cancel {
        target: CancelTarget::Event("queued".to_owned()),
        run_id: "withdrawn".to_owned(),
        at: now(),
    };
    store.cancel_turn(Some(&scope()), &cancel).await.unwrap();
    store.delete_thread(&elsewhere(), "other").await.unwrap();
    assert_eq!(open().await, ids(&["one-e"]));
    assert!(store.open_turns(&[]).await.unwrap().is_empty());
}
