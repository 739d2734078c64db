//! Threads that are deleted.

use crate::given::{
    ana, append, begin_thread, ben, existing, finish, message, new_thread, private, say, scope,
    start, thread_of,
};
use crate::seen::{assert_not_found, picture};
use crate::stores::{AnyStore, cases};
use dooers::store::{ChangeBody, SnapshotFrom};
use futures::future::join_all;
use std::sync::Arc;

cases![
    the_last_change_tells_how_the_thread_stood,
    a_deleted_thread_is_gone_for_every_method,
    a_deleted_thread_is_gone_from_lists_and_counts,
    other_threads_stay_as_they_are,
    what_waited_in_a_deleted_thread_is_gone,
    ids_of_a_deleted_thread_are_in_nobodys_way,
    of_many_deletions_at_once_one_deletes,
];

async fn the_last_change_tells_how_the_thread_stood(store: &AnyStore) {
    thread_of(store, "t", 5).await;
    let new = message(existing("t"), "of-ben", &ben());
    store
        .begin_turn(&scope(), new, &start("none"))
        .await
        .unwrap();
    let record = store.thread(&scope(), "t").await.unwrap();
    let change = store.delete_thread(&scope(), "t").await.unwrap();
    assert_eq!(change.thread_id, "t");
    assert_eq!(change.rev, record.rev + 1);
    assert_eq!(change.body, ChangeBody::Deleted(Box::new(record)));
}

async fn a_deleted_thread_is_gone_for_every_method(store: &AnyStore) {
    let claim = thread_of(store, "t", 5).await;
    let from = SnapshotFrom::Newest;
    let position = store
        .snapshot(&scope(), "t", &from, usize::MAX)
        .await
        .unwrap()
        .position;
    store.delete_thread(&scope(), "t").await.unwrap();
    let new = message(existing("t"), "late", &ana());
    assert_not_found(store.begin_turn(&scope(), new, &start("late")).await);
    assert_not_found(store.claim_turn(&scope(), "t", &start("late")).await);
    assert_not_found(store.write_turn(&scope(), &claim.key, Vec::new()).await);
    assert_not_found(
        store
            .finish_turn(&scope(), &claim.key, Vec::new(), Some(&start("late")))
            .await,
    );
    assert_not_found(store.thread(&scope(), "t").await);
    assert_not_found(store.snapshot(&scope(), "t", &from, usize::MAX).await);
    assert_not_found(store.events(&scope(), "t", None, 10.into()).await);
    assert_not_found(store.events(&scope(), "t", Some("t-3"), 10.into()).await);
    assert_not_found(store.catch_up(&scope(), "t", &position, 10.into()).await);
    assert_not_found(store.delete_thread(&scope(), "t").await);
}

async fn a_deleted_thread_is_gone_from_lists_and_counts(store: &AnyStore) {
    for id in ["a", "b", "c"] {
        begin_thread(store, id, &format!("{id}-r")).await;
    }
    store.delete_thread(&scope(), "b").await.unwrap();
    for scope in [scope(), private(&ana())] {
        let page = store.threads(&scope, None, 10.into()).await.unwrap();
        let ids: Vec<_> = page
            .threads
            .iter()
            .map(|thread| thread.id.as_str())
            .collect();
        assert_eq!((ids, page.total_count), (vec!["c", "a"], 2));
    }
    for id in ["a", "c"] {
        store.delete_thread(&scope(), id).await.unwrap();
    }
    let page = store.threads(&scope(), None, 10.into()).await.unwrap();
    assert_eq!(
        (page.threads.len(), page.next, page.total_count),
        (0, None, 0)
    );
}

async fn other_threads_stay_as_they_are(store: &AnyStore) {
    let kept = thread_of(store, "kept", 7).await;
    say(store, existing("kept"), "waiting", "none").await;
    let before = picture(store, &scope()).await;
    thread_of(store, "gone", 7).await;
    store.delete_thread(&scope(), "gone").await.unwrap();
    assert_eq!(picture(store, &scope()).await, before);
    append(store, &kept.key, [8], None).await;
    assert_eq!(
        finish(store, &kept.key, "r").await.unwrap().key.event_id,
        "waiting"
    );
}

async fn what_waited_in_a_deleted_thread_is_gone(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    say(store, existing("t"), "waiting", "none").await;
    store.delete_thread(&scope(), "t").await.unwrap();
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.waiting), (0, Vec::new()));
}

async fn ids_of_a_deleted_thread_are_in_nobodys_way(store: &AnyStore) {
    thread_of(store, "t", 3).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    let begun = say(store, new_thread("t2"), "t-1", "t-run").await;
    append(store, &begun.claim.unwrap().key, [2, 3], Some("t-run")).await;
    assert_eq!(
        store
            .threads(&scope(), None, 10.into())
            .await
            .unwrap()
            .total_count,
        1
    );
}

async fn of_many_deletions_at_once_one_deletes(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let tasks = (0..20).map(|_| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.delete_thread(&scope(), "t").await })
    });
    let answers: Vec<_> = join_all(tasks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    answers
        .into_iter()
        .filter(Result::is_err)
        .for_each(assert_not_found);
}
