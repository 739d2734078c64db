//! Messages to a thread that is busy.

use crate::asserts::{
    assert_not_found, assert_stale, dump, events_and_runs, ids, kinds, run_named, runs_of,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    begin_thread, existing, finish, message, new_thread, repeatable, scope, start, write, written,
};
use dooers::OnBusy;
use dooers::protocol::{RunStatus, User};
use dooers::store::{
    BeginOutcome, Cancel, CancelTarget, Cancelled, ClaimOptions, StoreError, ThreadTarget,
};

cases![
    full_queue_rejects_until_a_message_is_answered,
    repeated_message_needs_no_queue_slot,
    rejecting_agent_accepts_after_the_last_answer,
    busy_state_is_hidden_from_other_scopes,
    interrupt_withdraws_queued_and_cancels_running,
    interrupt_of_idle_thread_is_an_ordinary_message,
    preemption_follows_message_order,
    concurrent_turns_are_claimed_at_once,
    concurrent_turns_are_independent,
    concurrent_turns_are_all_recovered,
    exclusive_turn_waits_for_concurrent_turns,
];

fn busy(on_busy: OnBusy, run_id: &str) -> ClaimOptions {
    ClaimOptions {
        on_busy,
        ..start(run_id)
    }
}

fn queue_of(limit: u32) -> ClaimOptions {
    busy(OnBusy::Queue { limit }, "none")
}

async fn say(
    store: &AnyStore,
    thread: ThreadTarget,
    event_id: &str,
    start: &ClaimOptions,
) -> Result<BeginOutcome, StoreError> {
    let message = message(thread, event_id, &User::new("ana"));
    store.begin_turn(&scope(), message, start).await
}

#[track_caller]
fn assert_overloaded(result: Result<BeginOutcome, StoreError>) {
    match result {
        Err(StoreError::Overloaded(text)) => assert!(text.contains("wait"), "{text}"),
        other => panic!("{other:?}"),
    }
}

async fn full_queue_rejects_until_a_message_is_answered(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    for id in ["e2", "e3"] {
        say(store, existing("t"), id, &queue_of(2)).await.unwrap();
    }
    let before = dump(store, &scope()).await;
    assert_overloaded(say(store, existing("t"), "e4", &queue_of(2)).await);
    assert_eq!(dump(store, &scope()).await, before);
    // Another thread has its own queue, and a longer queue has room.
    say(store, new_thread("other"), "o", &queue_of(2))
        .await
        .unwrap();
    finish(store, &claim.key, "r2").await.unwrap();
    say(store, existing("t"), "e4", &queue_of(2)).await.unwrap();
    assert_overloaded(say(store, existing("t"), "e5", &queue_of(2)).await);
    say(store, existing("t"), "e5", &queue_of(3)).await.unwrap();
}

async fn repeated_message_needs_no_queue_slot(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let sent = |id| repeatable(existing("t"), id, "c");
    let first = store.begin_turn(&scope(), sent("e2"), &queue_of(1)).await;
    for start in [queue_of(1), busy(OnBusy::Reject, "none")] {
        let again = store
            .begin_turn(&scope(), sent("e3"), &start)
            .await
            .unwrap();
        assert!(again.is_repeated);
        assert_eq!(again.event, first.as_ref().unwrap().event);
    }
}

async fn rejecting_agent_accepts_after_the_last_answer(store: &AnyStore) {
    let reject = |run| busy(OnBusy::Reject, run);
    let begun = say(store, new_thread("t"), "e1", &reject("r1"))
        .await
        .unwrap();
    let refused = say(store, existing("t"), "e2", &reject("r2")).await;
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    finish(store, &begun.claim.unwrap().key, "none").await;
    let begun = say(store, existing("t"), "e2", &reject("r2"))
        .await
        .unwrap();
    assert!(begun.claim.is_some());
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["e1", "e2"]);
}

async fn busy_state_is_hidden_from_other_scopes(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let mut elsewhere = scope();
    elsewhere.workspace_id = "elsewhere".to_owned();
    let message = message(existing("t"), "e2", &User::new("eve"));
    let start = busy(OnBusy::Reject, "none");
    assert_not_found(store.begin_turn(&elsewhere, message, &start).await);
}

async fn interrupt_withdraws_queued_and_cancels_running(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    for id in ["e2", "e3"] {
        say(store, existing("t"), id, &queue_of(9)).await.unwrap();
    }
    let start = busy(OnBusy::Interrupt, "r4");
    let begun = say(store, existing("t"), "e4", &start).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["event", "run", "run"]);
    assert_eq!(begun.interrupted, ["t-question"]);
    assert!(begun.claim.is_none());
    for run in runs_of(&begun.changes) {
        assert_eq!(run.status, RunStatus::Canceled);
        assert!(run.ended_at.is_some());
    }
    // The canceled turn still writes its last event. Then the new turn runs.
    write(store, &claim.key, vec![written("t", "last", Some("r"))]).await;
    let next = finish(store, &claim.key, "r4").await.unwrap();
    assert_eq!(next.event.id, "e4");
    assert!(finish(store, &next.key, "none").await.is_none());
}

async fn interrupt_of_idle_thread_is_an_ordinary_message(store: &AnyStore) {
    let start = |run| busy(OnBusy::Interrupt, run);
    let begun = say(store, new_thread("t"), "e1", &start("r1"))
        .await
        .unwrap();
    assert!(begun.interrupted.is_empty());
    finish(store, &begun.claim.unwrap().key, "none").await;
    let begun = say(store, existing("t"), "e2", &start("r2")).await.unwrap();
    assert!(begun.claim.is_some() && begun.interrupted.is_empty());
    assert_eq!(kinds(&begun.changes), ["event", "run"]);
}

async fn preemption_follows_message_order(store: &AnyStore) {
    let side_by_side = side_by_side(store).await;
    for (claim, id) in side_by_side.iter().zip(["e1", "e2"]) {
        assert_eq!(claim.event.id, id);
        let later = crate::fixtures::now() + chrono::TimeDelta::seconds(30);
        let retried = store
            .retry_turn(&scope(), &claim.key, Vec::new(), later)
            .await;
        assert!(!retried.unwrap().is_cancelled);
    }
    // The first turn runs again, and the second one is queued.
    let again = ClaimOptions {
        at: crate::fixtures::now() + chrono::TimeDelta::seconds(31),
        ..busy(OnBusy::Concurrent, "none")
    };
    let first = store.claim_turn(&scope(), "t", &again).await.unwrap();
    assert_eq!(first.unwrap().event.id, "e1");
    say(store, existing("t"), "e4", &busy(OnBusy::Concurrent, "r4"))
        .await
        .unwrap();
    let interrupt = busy(OnBusy::Interrupt, "r5");
    let begun = say(store, existing("t"), "e5", &interrupt).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["event", "run"]);
    assert_eq!(runs_of(&begun.changes)[0].id, "r2");
    assert_eq!(begun.interrupted, ["e1", "e3", "e4"]);
}

/// Claims of three concurrent turns of a thread.
async fn side_by_side(store: &AnyStore) -> Vec<dooers::store::Claim> {
    let mut claims = Vec::new();
    for (id, run_id) in [("e1", "r1"), ("e2", "r2"), ("e3", "r3")] {
        let thread = if id == "e1" {
            new_thread("t")
        } else {
            existing("t")
        };
        let begun = say(store, thread, id, &busy(OnBusy::Concurrent, run_id)).await;
        claims.extend(begun.unwrap().claim);
    }
    claims
}

async fn concurrent_turns_are_claimed_at_once(store: &AnyStore) {
    let claims = side_by_side(store).await;
    let claimed: Vec<_> = claims.iter().map(|claim| claim.event.id.as_str()).collect();
    assert_eq!(claimed, ["e1", "e2", "e3"]);
    let next = store
        .claim_turn(&scope(), "t", &busy(OnBusy::Concurrent, "none"))
        .await;
    assert!(next.unwrap().is_none());
}

async fn concurrent_turns_are_independent(store: &AnyStore) {
    let claims = side_by_side(store).await;
    for (claim, id) in claims.iter().zip(["a", "b", "c"]) {
        write(store, &claim.key, vec![written("t", id, None)]).await;
    }
    let wish = Cancel {
        target: CancelTarget::Run("r2".to_owned()),
        run_id: "none".to_owned(),
        at: crate::fixtures::now(),
    };
    let cancelled = store.cancel_turn(None, &wish).await.unwrap();
    assert!(matches!(cancelled, Cancelled::Running { event_id, .. } if event_id == "e2"));
    for claim in [&claims[1], &claims[0], &claims[2]] {
        assert!(finish(store, &claim.key, "none").await.is_none());
        assert_stale(store.write_turn(&scope(), &claim.key, Vec::new()).await);
    }
}

async fn concurrent_turns_are_all_recovered(store: &AnyStore) {
    side_by_side(store).await;
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.changes.len()), (3, 1));
    for run_id in ["r1", "r2", "r3"] {
        let run = run_named(store, &scope(), "t", run_id).await;
        assert_eq!(run.error.as_deref(), Some("interrupted"));
    }
}

async fn exclusive_turn_waits_for_concurrent_turns(store: &AnyStore) {
    let claims = side_by_side(store).await;
    let begun = say(store, existing("t"), "e4", &queue_of(9)).await.unwrap();
    assert!(begun.claim.is_none());
    for claim in &claims[..2] {
        assert!(finish(store, &claim.key, "r4").await.is_none());
    }
    let next = finish(store, &claims[2].key, "r4").await.unwrap();
    assert_eq!(next.event.id, "e4");
}
