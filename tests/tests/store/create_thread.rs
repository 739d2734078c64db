//! Threads that the program creates.

use crate::asserts::{Reader, assert_conflict, assert_not_found, dump, kinds, newest, revs};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, begin_thread, ben, existing, message, new_thread, now, private_scope, say, scope,
    start,
};
use dooers::protocol::{Thread, User};
use dooers::store::{NewThread, Scope, ThreadDraft, ThreadEdit};
use dooers_tests::with;
use serde_json::json;

cases![
    thread_is_created_as_drafted,
    empty_thread_can_be_read_and_written,
    owner_is_the_only_participant,
    ownerless_thread_is_visible_in_the_full_scope,
    taken_id_is_a_conflict_in_every_scope,
    created_thread_can_be_deleted,
];

fn draft(id: &str, owner: &User) -> ThreadDraft {
    ThreadDraft {
        thread: NewThread::new(id),
        owner: owner.clone(),
        at: now(),
    }
}

async fn create(store: &AnyStore, draft: ThreadDraft) {
    store
        .create_thread(&scope(), draft)
        .await
        .expect("a new id");
}

async fn thread_is_created_as_drafted(store: &AnyStore) {
    let mut draft = draft("t", &ana());
    draft.thread.title = Some("A title".to_owned());
    draft.thread.metadata = Some(json!({"channel": "mail"}));
    let at = draft.at;
    let created = store.create_thread(&scope(), draft).await.unwrap();
    let changes = [created];
    assert_eq!((kinds(&changes), revs(&changes)), (vec!["thread"], vec![1]));
    let expected: Thread = serde_json::from_value(json!({
        "id": "t",
        "worker_id": "worker",
        "agent_id": "worker",
        "organization_id": "organization",
        "workspace_id": "workspace",
        "owner": ana(),
        "users": [ana()],
        "title": "A title",
        "metadata": {"channel": "mail"},
        "created_at": at,
        "updated_at": at,
        "last_event_at": at,
    }))
    .unwrap();
    let stored = store.thread(&scope(), "t").await.unwrap();
    assert_eq!((stored.thread, stored.rev), (expected.clone(), 1));
    let listed = store.threads(&scope(), None, 10.into()).await.unwrap();
    assert_eq!((listed.threads, listed.total_count), (vec![expected], 1));
}

async fn empty_thread_can_be_read_and_written(store: &AnyStore) {
    create(store, draft("t", &ana())).await;
    let mut reader = Reader::fresh(store, &scope(), "t").await;
    assert!(reader.events.is_empty());
    let page = store.events(&scope(), "t", None, 10.into()).await.unwrap();
    assert!(page.events.is_empty() && !page.has_more);
    let first = ThreadEdit::CreateEvent(Box::new(answer("t", "first", None)));
    store.edit_thread(&scope(), "t", first).await.unwrap();
    let begun = say(store, existing("t"), "second", "r").await;
    assert_eq!((begun.event.seq, begun.claim.is_some()), (2, true));
    reader.advance(store, &scope(), 10).await;
    reader.assert_up_to_date(store, &scope()).await;
    assert_eq!(reader.events.len(), 2);
}

async fn owner_is_the_only_participant(store: &AnyStore) {
    create(store, draft("t", &ana())).await;
    assert_eq!(
        store
            .thread(&private_scope(&ana()), "t")
            .await
            .unwrap()
            .thread
            .id,
        "t"
    );
    assert_not_found(store.thread(&private_scope(&ben()), "t").await);
    let listed = store
        .threads(&private_scope(&ana()), None, 10.into())
        .await
        .unwrap();
    assert_eq!((listed.threads.len(), listed.total_count), (1, 1));
}

async fn ownerless_thread_is_visible_in_the_full_scope(store: &AnyStore) {
    create(store, draft("t", &User::new(""))).await;
    let thread = store.thread(&scope(), "t").await.unwrap().thread;
    assert!(thread.users.is_empty());
    for user in [ana(), User::new("")] {
        assert_not_found(store.thread(&private_scope(&user), "t").await);
    }
    let new = message(existing("t"), "e", &ben());
    store.begin_turn(&scope(), new, &start("r")).await.unwrap();
    assert_eq!(
        newest(store, &private_scope(&ben()), "t")
            .await
            .events
            .len(),
        1
    );
}

async fn taken_id_is_a_conflict_in_every_scope(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let before = dump(store, &scope()).await;
    let other = with!(Scope {
        workspace_id: "other".to_owned(),
        ..scope()
    });
    for scope in [scope(), other.clone(), private_scope(&ben())] {
        assert_conflict(store.create_thread(&scope, draft("t", &ana())).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
    assert_eq!(
        store
            .threads(&other, None, 1.into())
            .await
            .unwrap()
            .total_count,
        0
    );
}

async fn created_thread_can_be_deleted(store: &AnyStore) {
    create(store, draft("t", &ana())).await;
    let deleted = store
        .delete_thread(&private_scope(&ana()), "t")
        .await
        .unwrap();
    assert_eq!(kinds(&[deleted]), ["deleted"]);
    assert_not_found(store.thread(&scope(), "t").await);
    say(store, new_thread("t"), "e", "r").await;
    let listed = store.threads(&scope(), None, 10.into()).await.unwrap();
    assert_eq!(listed.total_count, 1);
}
