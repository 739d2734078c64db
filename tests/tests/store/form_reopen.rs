//! Forms whose answer failed, and which can be answered again.

use crate::asserts::{assert_conflict, dump, turn_state};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    existing, finish, form_response, message, now, say, scope, start, thread_with_form, write,
};
use dooers::OnBusy;
use dooers::store::{
    BeginOutcome, Cancel, CancelTarget, Cancelled, Claim, ClaimOptions, NewMessage, StoreError,
    ThreadEdit, TurnChange, TurnState,
};
use futures::future::join_all;
use serde_json::json;
use std::sync::Arc;

cases![
    form_reopens_when_its_answer_is_interrupted,
    form_reopens_when_its_answer_is_withdrawn,
    form_reopens_when_its_answer_is_canceled,
    form_reopens_when_a_retry_is_canceled,
    form_reopens_when_a_message_interrupts_its_answer,
    form_reopens_when_its_queued_answer_is_removed,
    form_reopens_on_request_of_its_turn,
    form_stays_answered_while_its_answer_is_retried,
    form_stays_answered_after_its_turn_ended,
    form_reopens_as_often_as_its_answers_are_lost,
    reopened_form_accepts_one_of_many_answers,
    reopen_and_next_answer_can_share_a_batch,
    lost_answer_sent_again_is_a_repeat,
    turn_without_a_form_answer_reopens_none,
];

fn answer(thread_id: &str, event_id: &str) -> NewMessage {
    let data = json!({"form_event_id": "f", "values": {"size": "L"}});
    form_response(thread_id, event_id, data)
}

async fn respond(store: &AnyStore, event_id: &str) -> Result<BeginOutcome, StoreError> {
    let start = start(&format!("{event_id}-run"));
    store
        .begin_turn(&scope(), answer("t", event_id), &start)
        .await
}

/// A thread `t` with the open form `f`, in which nothing runs.
async fn asked(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    finish(store, &claim.key, "none").await;
}

/// The claim of the running turn of answer `a`.
async fn answered(store: &AnyStore) -> Claim {
    asked(store).await;
    respond(store, "a").await.unwrap().claim.unwrap()
}

/// Interrupts all running turns, as if their process had died.
async fn interrupt_running(store: &AnyStore) -> usize {
    let recovered = store.expire_leases(now()).await.unwrap();
    recovered.interrupted + recovered.retried
}

async fn cancel(store: &AnyStore, event_id: &str) -> Cancelled {
    let cancel = Cancel {
        target: CancelTarget::Event(event_id.to_owned()),
        run_id: format!("{event_id}-withdrawn"),
        at: now(),
    };
    store.cancel_turn(Some(&scope()), &cancel).await.unwrap()
}

/// Checks that the form accepts exactly one answer.
async fn assert_open(store: &AnyStore) {
    let claim = respond(store, "again").await.unwrap().claim.unwrap();
    assert_eq!(claim.key.event_id, "again");
    assert_answered(store).await;
    finish(store, &claim.key, "none").await;
    assert_answered(store).await;
}

async fn assert_answered(store: &AnyStore) {
    let before = dump(store, &scope()).await;
    assert_conflict(respond(store, "late").await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn form_reopens_when_its_answer_is_interrupted(store: &AnyStore) {
    answered(store).await;
    assert_answered(store).await;
    assert_eq!(interrupt_running(store).await, 1);
    assert_open(store).await;
}

async fn form_reopens_when_its_answer_is_withdrawn(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    assert!(respond(store, "a").await.unwrap().claim.is_none());
    assert_answered(store).await;
    let cancelled = cancel(store, "a").await;
    assert!(matches!(cancelled, Cancelled::Withdrawn { .. }));
    finish(store, &claim.key, "none").await;
    assert_open(store).await;
}

async fn form_reopens_when_its_answer_is_canceled(store: &AnyStore) {
    answered(store).await;
    let cancelled = cancel(store, "a").await;
    assert!(matches!(cancelled, Cancelled::Running { .. }));
    // The handler of the answer may still be running.
    assert_answered(store).await;
    store.expire_leases(now()).await.unwrap();
    assert_open(store).await;
}

async fn form_reopens_when_a_retry_is_canceled(store: &AnyStore) {
    let claim = answered(store).await;
    cancel(store, "a").await;
    let retried = store
        .retry_turn(&scope(), &claim.key, Vec::new(), now())
        .await;
    assert!(retried.unwrap().is_cancelled);
    assert_open(store).await;
}

async fn form_reopens_when_a_message_interrupts_its_answer(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    respond(store, "a").await.unwrap();
    let interrupting = ClaimOptions {
        on_busy: OnBusy::Interrupt,
        ..start("m-run")
    };
    let new = message(existing("t"), "m", &crate::fixtures::ana());
    store
        .begin_turn(&scope(), new, &interrupting)
        .await
        .unwrap();
    let next = finish(store, &claim.key, "m-run").await.unwrap();
    assert_eq!(next.key.event_id, "m");
    finish(store, &next.key, "none").await;
    assert_open(store).await;
}

async fn form_reopens_when_its_queued_answer_is_removed(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    respond(store, "a").await.unwrap();
    remove(store, "a").await;
    finish(store, &claim.key, "none").await;
    assert_open(store).await;
}

async fn remove(store: &AnyStore, event_id: &str) {
    let remove = ThreadEdit::RemoveEvent {
        event_id: event_id.to_owned(),
        run_id: format!("{event_id}-removed"),
        at: now(),
    };
    store.edit_thread(&scope(), "t", remove).await.unwrap();
}

async fn form_reopens_on_request_of_its_turn(store: &AnyStore) {
    let claim = answered(store).await;
    store
        .finish_turn(&scope(), &claim.key, vec![TurnChange::ReopenForm], None)
        .await
        .unwrap();
    assert_open(store).await;
}

async fn form_stays_answered_while_its_answer_is_retried(store: &AnyStore) {
    asked(store).await;
    let retrying = || ClaimOptions {
        retries: 2,
        ..start("a-run")
    };
    let begun = store
        .begin_turn(&scope(), answer("t", "a"), &retrying())
        .await;
    let claim = begun.unwrap().claim.unwrap();
    assert_eq!(interrupt_running(store).await, 1);
    assert_answered(store).await;
    let next = store.claim_turn(&scope(), "t", &retrying()).await.unwrap();
    store
        .retry_turn(&scope(), &next.unwrap().key, Vec::new(), now())
        .await
        .unwrap();
    assert_answered(store).await;
    cancel(store, "a").await;
    assert_open(store).await;
    // The first holder has lost the turn.
    let late = store
        .write_turn(&scope(), &claim.key, vec![TurnChange::ReopenForm])
        .await;
    assert!(matches!(late, Err(StoreError::StaleFence)), "{late:?}");
    assert_answered(store).await;
}

async fn form_stays_answered_after_its_turn_ended(store: &AnyStore) {
    let claim = answered(store).await;
    finish(store, &claim.key, "none").await;
    assert_answered(store).await;
    cancel(store, "a").await;
    assert_answered(store).await;
    remove(store, "a").await;
    assert_answered(store).await;
}

async fn form_reopens_as_often_as_its_answers_are_lost(store: &AnyStore) {
    answered(store).await;
    for number in 0..3 {
        assert_eq!(interrupt_running(store).await, 1);
        let id = format!("b{number}");
        assert!(respond(store, &id).await.unwrap().claim.is_some());
    }
    assert_answered(store).await;
}

async fn reopened_form_accepts_one_of_many_answers(store: &AnyStore) {
    answered(store).await;
    interrupt_running(store).await;
    let tasks = (0..20).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move { respond(&store, &format!("b{number}")).await })
    });
    let answers: Vec<_> = join_all(tasks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter(Result::is_err) {
        assert_conflict(refused);
    }
}

/// The end of a turn and the next answer may share one statement.
async fn reopen_and_next_answer_can_share_a_batch(store: &AnyStore) {
    let mut claim = answered(store).await;
    for number in 0..10 {
        let lost = vec![TurnChange::ReopenForm];
        let scope = scope();
        let ends = store.finish_turn(&scope, &claim.key, lost, None);
        let id = format!("b{number}");
        let (ended, begun) = tokio::join!(ends, respond(store, &id));
        ended.unwrap();
        let begun = match begun {
            Ok(begun) => begun,
            Err(StoreError::Conflict(_)) => respond(store, &id).await.unwrap(),
            Err(error) => panic!("{error}"),
        };
        claim = begun.claim.unwrap();
    }
    assert_answered(store).await;
}

async fn lost_answer_sent_again_is_a_repeat(store: &AnyStore) {
    asked(store).await;
    let named = |event_id| NewMessage {
        client_event_id: Some("c".to_owned()),
        ..answer("t", event_id)
    };
    let send = |event_id| {
        let (store, named) = (Arc::clone(store), named(event_id));
        async move {
            store
                .begin_turn(&scope(), named, &start("r"))
                .await
                .unwrap()
        }
    };
    send("a").await;
    interrupt_running(store).await;
    let again = send("b").await;
    assert!(again.is_repeated && again.claim.is_none());
    assert_eq!(turn_state(store, "t", "a").await, TurnState::Ended);
    assert_eq!(again.event.id, "a");
    assert_open(store).await;
}

async fn turn_without_a_form_answer_reopens_none(store: &AnyStore) {
    let claim = answered(store).await;
    finish(store, &claim.key, "none").await;
    let begun = say(store, existing("t"), "m", "m-run").await;
    let key = begun.claim.unwrap().key;
    write(store, &key, vec![TurnChange::ReopenForm]).await;
    interrupt_running(store).await;
    assert_answered(store).await;
}
