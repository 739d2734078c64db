//! The state of the turn that answers a message.

use crate::asserts::{assert_not_found, dump, turn_state};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    answer, begin_thread, ben, existing, finish, now, private_scope, say, scope, thread_of, write,
    written,
};
use dooers::store::{Cancel, CancelTarget, Scope, ThreadEdit, TurnState};
use dooers_tests::with;

cases![
    turn_state_follows_a_turn_to_its_end,
    turn_state_of_a_retried_turn_is_queued,
    turn_state_of_a_withdrawn_turn_is_ended,
    turn_state_of_an_event_without_a_turn_is_ended,
    turn_state_outside_the_scope_is_not_found,
    turn_state_of_an_unknown_event_is_not_found,
];

async fn turn_state_follows_a_turn_to_its_end(store: &AnyStore) {
    let first = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "e2", "r2").await;
    let before = dump(store, &scope()).await;
    assert_eq!(
        turn_state(store, "t", "t-question").await,
        TurnState::Running
    );
    assert_eq!(turn_state(store, "t", "e2").await, TurnState::Queued);
    assert_eq!(dump(store, &scope()).await, before);

    let second = finish(store, &first.key, "r2").await.unwrap();
    assert_eq!(turn_state(store, "t", "t-question").await, TurnState::Ended);
    assert_eq!(turn_state(store, "t", "e2").await, TurnState::Running);
    finish(store, &second.key, "none").await;
    assert_eq!(turn_state(store, "t", "e2").await, TurnState::Ended);
}

async fn turn_state_of_a_retried_turn_is_queued(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let scope = scope();
    let retried = store.retry_turn(&scope, &claim.key, Vec::new(), now());
    retried.await.unwrap();
    assert_eq!(
        turn_state(store, "t", "t-question").await,
        TurnState::Queued
    );
}

async fn turn_state_of_a_withdrawn_turn_is_ended(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    say(store, existing("t"), "e2", "r2").await;
    let cancel = Cancel {
        target: CancelTarget::Event("e2".to_owned()),
        run_id: "withdrawn".to_owned(),
        at: now(),
    };
    store.cancel_turn(Some(&scope()), &cancel).await.unwrap();
    assert_eq!(turn_state(store, "t", "e2").await, TurnState::Ended);
    assert_eq!(
        turn_state(store, "t", "t-question").await,
        TurnState::Running
    );
}

async fn turn_state_of_an_event_without_a_turn_is_ended(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    write(store, &claim.key, vec![written("t", "a", Some("r"))]).await;
    let added = ThreadEdit::CreateEvent(Box::new(answer("t", "b", None)));
    store.edit_thread(&scope(), "t", added).await.unwrap();
    for event_id in ["a", "b"] {
        assert_eq!(turn_state(store, "t", event_id).await, TurnState::Ended);
    }
}

async fn turn_state_outside_the_scope_is_not_found(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let elsewhere = with!(Scope {
        workspace_id: "elsewhere".to_owned(),
        ..scope()
    });
    for scope in [elsewhere, private_scope(&ben())] {
        let state = store.turn_state(&scope, "t", "t-question").await;
        assert_not_found(state);
    }
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_not_found(store.turn_state(&scope(), "t", "t-question").await);
}

async fn turn_state_of_an_unknown_event_is_not_found(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    thread_of(store, "other", 2).await;
    for event_id in ["other-1", "r", "", "nothing", "t-question\0", "\0"] {
        assert_not_found(store.turn_state(&scope(), "t", event_id).await);
    }
}
