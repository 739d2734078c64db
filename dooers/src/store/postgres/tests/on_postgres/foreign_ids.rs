//! Tests that a thread outside of the caller's scope is neither waited for nor changed.

use super::{open, place, session};
use crate::protocol::User;
use crate::store::postgres::connect::statement::query;
use crate::store::tests::foreign_ids::{
    foreign_ids_are_like_missing_ones, foreign_threads_are_unchanged,
};
use crate::store::tests::{at, first_message, next_message, scope, start};
use crate::store::{
    EventQuery, NewThread, Participant, Scope, Store, StoreError, ThreadDraft, ThreadEdit,
    ThreadPatch, Viewer,
};
use futures::future::join_all;
use sqlx::Connection;
use std::sync::Arc;

fn elsewhere() -> Scope {
    Scope {
        organization_id: "other".to_owned(),
        ..scope()
    }
}

#[tokio::test]
async fn foreign_ids_do_not_wait_for_locked_threads() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    let mut holder = session(&options).await;
    let mut held = holder.begin().await.unwrap();
    let prefix = &options.table_prefix;
    let lock: Arc<str> =
        format!("SELECT pk FROM {prefix}threads WHERE id NOT LIKE 'home%' FOR UPDATE").into();
    let lock_all = async || {
        let locked = query(&lock).fetch_all(&mut *held).await.unwrap();
        assert_eq!(locked.len(), 5);
    };
    foreign_ids_are_like_missing_ones(&store, lock_all, || ()).await;
    held.rollback().await.unwrap();
    foreign_threads_are_unchanged(&store).await;
}

#[tokio::test]
async fn foreign_changes_in_a_batch_affect_no_others() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    let begun = first_message("t", "e");
    store
        .begin_turn(&scope(), begun, &start("r"))
        .await
        .unwrap();
    let (here, there) = (scope(), elsewhere());
    let patch = |number: usize| {
        let patch = ThreadPatch::default().metadata(number);
        ThreadEdit::Patch { patch, at: at(1) }
    };
    // The operations wait for the writer together.
    let foreign = async || {
        join_all((0..20).map(async |number| {
            let changed = store.edit_thread(&there, "t", patch(number)).await;
            let deleted = store.delete_thread(&there, "t").await;
            (changed.map(drop), deleted.map(drop))
        }))
        .await
    };
    let own =
        async || join_all((0..20).map(|number| store.edit_thread(&here, "t", patch(number)))).await;
    let (refused, changed) = tokio::join!(foreign(), own());
    for (changed, deleted) in refused {
        for refused in [changed, deleted] {
            assert!(
                matches!(refused, Err(StoreError::NotFound("thread"))),
                "{refused:?}"
            );
        }
    }
    let revs: Vec<_> = changed
        .iter()
        .map(|edited| edited.as_ref().unwrap().changes[0].rev)
        .collect();
    let first = revs[0];
    assert_eq!(revs, (first..first + 20).collect::<Vec<_>>());
}

#[tokio::test]
async fn id_of_a_deleted_thread_is_reused_in_another_scope() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    let (here, there) = (scope(), elsewhere());
    for number in 0..10 {
        let id = format!("t{number}");
        let begun = first_message(&id, &format!("e{number}"));
        let start = start(&format!("r{number}"));
        store.begin_turn(&here, begun, &start).await.unwrap();
        let draft = ThreadDraft {
            thread: NewThread::new(&*id),
            owner: User::new("ann"),
            at: at(2),
        };
        let (deleted, created) = tokio::join!(
            store.delete_thread(&here, &id),
            store.create_thread(&there, draft),
        );
        deleted.unwrap();
        let is_created = match created {
            Ok(_) => true,
            Err(StoreError::Conflict(_)) => false,
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(store.thread(&there, &id).await.is_ok(), is_created);
        assert!(store.thread(&here, &id).await.is_err());
        let events = store.find_events(&there, &id, &EventQuery::newest(9)).await;
        assert_eq!(events.unwrap_or_default(), []);
    }
}

/// The thread in the cache of a process may be older than the participant.
#[tokio::test]
async fn participant_added_by_another_process_is_admitted() {
    let Some(options) = place() else { return };
    let (one, two) = (open(&options).await, open(&options).await);
    let of = |user_id: &str| Scope {
        viewer: Viewer::Only(Participant::user(&User::new(user_id))),
        ..scope()
    };
    let patch = |number: usize| {
        let patch = ThreadPatch::default().metadata(number);
        ThreadEdit::Patch { patch, at: at(1) }
    };
    for number in 0..10 {
        let id = format!("t{number}");
        let begun = first_message(&id, &format!("e{number}"));
        let first = start(&format!("r{number}"));
        one.begin_turn(&of("ann"), begun, &first).await.unwrap();
        let refused = one.edit_thread(&of("ben"), &id, patch(0)).await;
        assert!(
            matches!(refused, Err(StoreError::NotFound("thread"))),
            "{refused:?}"
        );
        let mut joining = next_message(&id, &format!("j{number}"));
        joining.user = User::new("ben");
        joining.participant = Participant::user(&joining.user);
        let begun = two.begin_turn(&scope(), joining, &start("none")).await;
        begun.unwrap();
        if number % 2 == 0 {
            one.edit_thread(&of("ben"), &id, patch(1)).await.unwrap();
            continue;
        }
        // Both are in one batch.
        let (ann, ben) = (of("ann"), of("ben"));
        let (by_ann, by_ben) = tokio::join!(
            one.edit_thread(&ann, &id, patch(1)),
            one.edit_thread(&ben, &id, patch(2)),
        );
        by_ann.unwrap();
        by_ben.unwrap();
    }
}
