//! Deletion of threads.

use crate::asserts::{assert_not_found, dump};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, append, begin_thread, ben, existing, finish, message, new_thread, now, private_scope,
    repeatable, say, scope, start, thread_of,
};
use chrono::{DateTime, TimeDelta, Utc};
use dooers::protocol::User;
use dooers::store::{
    BeginOutcome, ChangeBody, NewMessage, Participant, SnapshotFrom, StoreError, ThreadEdit,
};
use futures::future::join_all;
use std::sync::Arc;

cases![
    deletion_change_contains_the_final_thread_row,
    deleted_thread_is_not_found_by_any_method,
    deleted_thread_is_not_listed_or_counted,
    deletion_leaves_other_threads_unchanged,
    deletion_removes_queued_turns,
    ids_of_a_deleted_thread_can_be_reused,
    one_of_many_concurrent_deletions_succeeds,
    ids_of_a_deleted_thread_are_kept_until_purged,
    ids_of_existing_threads_are_never_purged,
    ids_are_purged_in_batches,
    ids_of_removed_and_anonymous_messages_are_purged,
    message_racing_a_deletion_is_purged,
];

async fn deletion_change_contains_the_final_thread_row(store: &AnyStore) {
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

async fn deleted_thread_is_not_found_by_any_method(store: &AnyStore) {
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

async fn deleted_thread_is_not_listed_or_counted(store: &AnyStore) {
    for id in ["a", "b", "c"] {
        begin_thread(store, id, &format!("{id}-r")).await;
    }
    store.delete_thread(&scope(), "b").await.unwrap();
    for scope in [scope(), private_scope(&ana())] {
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

async fn deletion_leaves_other_threads_unchanged(store: &AnyStore) {
    let kept = thread_of(store, "kept", 7).await;
    say(store, existing("kept"), "waiting", "none").await;
    let before = dump(store, &scope()).await;
    thread_of(store, "gone", 7).await;
    store.delete_thread(&scope(), "gone").await.unwrap();
    assert_eq!(dump(store, &scope()).await, before);
    append(store, &kept.key, [8], None).await;
    assert_eq!(
        finish(store, &kept.key, "r").await.unwrap().key.event_id,
        "waiting"
    );
}

async fn deletion_removes_queued_turns(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    say(store, existing("t"), "waiting", "none").await;
    store.delete_thread(&scope(), "t").await.unwrap();
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.waiting), (0, Vec::new()));
}

async fn ids_of_a_deleted_thread_can_be_reused(store: &AnyStore) {
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

async fn one_of_many_concurrent_deletions_succeeds(store: &AnyStore) {
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

/// The real time, at which stores record deletions.
fn clock() -> DateTime<Utc> {
    Utc::now()
}

/// A time long after all deletions of these tests.
pub(crate) fn later() -> DateTime<Utc> {
    clock() + TimeDelta::days(8)
}

async fn send(store: &AnyStore, message: NewMessage) -> Result<BeginOutcome, StoreError> {
    let start = start(&format!("{}-run", message.event_id));
    store.begin_turn(&scope(), message, &start).await
}

pub(crate) async fn forget(store: &AnyStore, deleted_before: DateTime<Utc>) -> usize {
    store.forget_sent(deleted_before, 100).await.unwrap()
}

async fn ids_of_a_deleted_thread_are_kept_until_purged(store: &AnyStore) {
    let first = repeatable(new_thread("t"), "e", "client's");
    send(store, first).await.unwrap();
    store.delete_thread(&scope(), "t").await.unwrap();
    let again = || repeatable(new_thread("t2"), "e2", "client's");
    assert_not_found(send(store, again()).await);
    assert_eq!(forget(store, clock() - TimeDelta::hours(1)).await, 0);
    assert_not_found(send(store, again()).await);
    assert_eq!(forget(store, later()).await, 1);
    assert_eq!(forget(store, later()).await, 0);
    let begun = send(store, again()).await.unwrap();
    assert!(!begun.is_repeated);
}

async fn ids_of_existing_threads_are_never_purged(store: &AnyStore) {
    for id in ["kept", "gone"] {
        let first = repeatable(new_thread(id), &format!("{id}-e"), &format!("{id}-c"));
        send(store, first).await.unwrap();
        // A message of another user, without a `client_event_id`.
        let mut second = message(existing(id), &format!("{id}-ben"), &ben());
        second.client_event_id = Some(format!("{id}-c"));
        send(store, second).await.unwrap();
        let third = message(existing(id), &format!("{id}-plain"), &ana());
        send(store, third).await.unwrap();
    }
    assert_eq!(forget(store, later()).await, 0);
    store.delete_thread(&scope(), "gone").await.unwrap();
    assert_eq!(forget(store, later()).await, 2);
    let again = repeatable(new_thread("kept"), "kept-e", "kept-c");
    assert!(send(store, again).await.unwrap().is_repeated);
}

async fn ids_are_purged_in_batches(store: &AnyStore) {
    let first = repeatable(new_thread("t"), "e0", "c0");
    send(store, first).await.unwrap();
    for number in 1..25 {
        let next = repeatable(existing("t"), &format!("e{number}"), &format!("c{number}"));
        send(store, next).await.unwrap();
    }
    store.delete_thread(&scope(), "t").await.unwrap();
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        forgotten.push(store.forget_sent(later(), 10).await.unwrap());
    }
    assert_eq!(forgotten, [10, 10, 5, 0]);
    // Several processes may purge concurrently.
    let tasks = (0..4).map(|_| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.forget_sent(later(), 10).await })
    });
    for done in join_all(tasks).await {
        assert_eq!(done.unwrap().unwrap(), 0);
    }
}

async fn ids_of_removed_and_anonymous_messages_are_purged(store: &AnyStore) {
    let nobody = User::new("");
    let anonymous = |event_id: &str, thread, connection: Option<&str>| NewMessage {
        user: nobody.clone(),
        participant: match connection {
            Some(id) => Participant::connection(id),
            None => Participant::user(&nobody),
        },
        ..repeatable(thread, event_id, event_id)
    };
    let target = new_thread("t");
    send(store, anonymous("e1", target, Some("one")))
        .await
        .unwrap();
    let other = anonymous("e2", existing("t"), Some("other"));
    send(store, other).await.unwrap();
    send(store, anonymous("e3", existing("t"), None))
        .await
        .unwrap();
    send(store, repeatable(existing("t"), "e4", "e4"))
        .await
        .unwrap();
    let remove = ThreadEdit::RemoveEvent {
        event_id: "e4".to_owned(),
        run_id: "removed".to_owned(),
        at: now(),
    };
    store.edit_thread(&scope(), "t", remove).await.unwrap();
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_eq!(forget(store, later()).await, 4);
}

async fn message_racing_a_deletion_is_purged(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let sending = (0..20).map(|number| {
        let id = format!("e{number}");
        let message = repeatable(existing("t"), &id, &id);
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let start = start(&format!("{}-run", message.event_id));
            store.begin_turn(&scope(), message, &start).await
        })
    });
    let sending: Vec<_> = sending.collect();
    store.delete_thread(&scope(), "t").await.unwrap();
    let mut stored = 0;
    for sent in join_all(sending).await {
        stored += usize::from(sent.unwrap().is_ok());
    }
    assert_eq!(forget(store, later()).await, stored);
}
