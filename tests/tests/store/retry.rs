//! Retries of turns.

use crate::asserts::{
    assert_not_found, assert_stale, events_and_runs, events_of, ids, kinds, run_named, runs_of,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    append, begin_thread, existing, finish, message, new_thread, now, run, run_change, scope,
    start, streamed, write, written,
};
use chrono::{DateTime, TimeDelta, Utc};
use dooers::protocol::{Run, RunStatus, User};
use dooers::store::{
    Cancel, CancelTarget, Cancelled, Claim, ClaimOptions, ThreadEdit, ThreadTarget, TurnKey,
};
use dooers_tests::with;

cases![
    retry_continues_run_and_events_of_failed_attempt,
    retry_waits_for_its_time_and_blocks_later_turns,
    only_the_holder_can_requeue_a_turn,
    lost_turn_with_attempts_left_is_requeued,
    lost_turn_without_attempts_left_is_interrupted,
    lost_canceled_turn_is_not_retried,
    turn_canceled_while_failing_ends_at_once,
    turn_waiting_for_a_retry_can_be_canceled,
    concurrent_turns_are_retried_independently,
    pending_turns_report_their_earliest_start_times,
    interrupt_ends_the_run_of_a_turn_awaiting_retry,
    retry_with_manual_runs_ends_the_previous_run,
    first_attempt_does_not_continue_a_program_run,
];

/// Starts a turn with one retry.
fn retrying(run_id: &str) -> ClaimOptions {
    ClaimOptions {
        retries: 1,
        ..start(run_id)
    }
}

async fn begin(
    store: &AnyStore,
    thread: ThreadTarget,
    id: &str,
    start: &ClaimOptions,
) -> Option<Claim> {
    let message = message(thread, id, &User::new("ana"));
    store
        .begin_turn(&scope(), message, start)
        .await
        .unwrap()
        .claim
}

async fn first(store: &AnyStore) -> Claim {
    begin(store, new_thread("t"), "e1", &retrying("r"))
        .await
        .unwrap()
}

/// Requeues a turn until this time. Its run does not change.
async fn requeue(store: &AnyStore, key: &TurnKey, not_before: DateTime<Utc>) {
    let changes = vec![written("t", "tried", Some("r"))];
    let published = store.retry_turn(&scope(), key, changes, not_before).await;
    let published = published.unwrap();
    assert!(!published.is_cancelled);
    assert_eq!(kinds(&published.changes), ["event"]);
}

/// Claims the next turn at this time.
async fn claim_at(store: &AnyStore, at: DateTime<Utc>) -> Option<Claim> {
    let start = ClaimOptions {
        at,
        ..retrying("another")
    };
    store.claim_turn(&scope(), "t", &start).await.unwrap()
}

async fn retry_continues_run_and_events_of_failed_attempt(store: &AnyStore) {
    let claim = first(store).await;
    write(store, &claim.key, vec![streamed("t", "s")]).await;
    let published = store
        .retry_turn(&scope(), &claim.key, Vec::new(), now())
        .await;
    let published = events_of(&published.unwrap().changes);
    assert_eq!(
        (published[0].id.as_str(), published[0].finalized),
        ("s", Some(true))
    );
    assert_stale(store.write_turn(&scope(), &claim.key, Vec::new()).await);

    let next = claim_at(store, now()).await.unwrap();
    assert_eq!((next.attempt, next.event.id.as_str()), (2, "e1"));
    assert_eq!(next.run, claim.run);
    assert!(
        next.changes.is_empty(),
        "the run continues: {:?}",
        next.changes
    );
    assert!(next.key.fence > claim.key.fence);
    append(store, &next.key, [1], Some("r")).await;
    let end = vec![run_change("t", "r", RunStatus::Succeeded)];
    write(store, &next.key, end).await;
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(run.started_at, claim.run.unwrap().started_at);
    let (events, runs) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["e1", "s", "t-1"]);
    assert_eq!(runs.len(), 1);
}

async fn retry_waits_for_its_time_and_blocks_later_turns(store: &AnyStore) {
    let claim = first(store).await;
    let later = now() + TimeDelta::minutes(1);
    requeue(store, &claim.key, later).await;
    assert!(
        claim_at(store, later - TimeDelta::microseconds(1))
            .await
            .is_none()
    );
    assert!(
        begin(store, existing("t"), "e2", &retrying("none"))
            .await
            .is_none()
    );
    // A process that starts in the meantime receives the time of the retry.
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.retried), (0, 0));
    let waiting = &recovered.waiting[0];
    assert_eq!(
        (waiting.not_before, waiting.all_from),
        (Some(later), Some(later))
    );
    let next = claim_at(store, later).await.unwrap();
    assert_eq!(next.event.id, "e1");
    assert_eq!(finish(store, &next.key, "r2").await.unwrap().event.id, "e2");
}

async fn only_the_holder_can_requeue_a_turn(store: &AnyStore) {
    let claim = first(store).await;
    let late = TurnKey {
        fence: claim.key.fence + 1,
        ..claim.key.clone()
    };
    let changes = vec![written("t", "late", None)];
    assert_stale(
        store
            .retry_turn(&scope(), &late, changes.clone(), now())
            .await,
    );
    let mut elsewhere = scope();
    elsewhere.agent = "elsewhere".to_owned();
    assert_not_found(
        store
            .retry_turn(&elsewhere, &claim.key, changes, now())
            .await,
    );
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["e1"]);
}

async fn lost_turn_with_attempts_left_is_requeued(store: &AnyStore) {
    let claim = first(store).await;
    write(store, &claim.key, vec![streamed("t", "s")]).await;
    let lost = store.expire_leases(now()).await.unwrap();
    assert_eq!((lost.interrupted, lost.retried), (0, 1));
    assert_eq!(kinds(&lost.changes[0].changes), ["event"]);
    assert_eq!(lost.waiting.len(), 1);
    let next = claim_at(store, now()).await.unwrap();
    assert_eq!((next.attempt, &next.run), (2, &claim.run));
    assert_stale(store.write_turn(&scope(), &claim.key, Vec::new()).await);
    assert!(finish(store, &next.key, "none").await.is_none());
}

async fn lost_turn_without_attempts_left_is_interrupted(store: &AnyStore) {
    first(store).await;
    assert_eq!(store.recover().await.unwrap().retried, 1);
    claim_at(store, now()).await.unwrap();
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.retried), (1, 0));
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(run.error.as_deref(), Some("interrupted"));
    assert!(claim_at(store, now()).await.is_none());
}

fn wish(event_id: &str) -> Cancel {
    Cancel {
        target: CancelTarget::Event(event_id.to_owned()),
        run_id: "withdrawn".to_owned(),
        at: now(),
    }
}

async fn lost_canceled_turn_is_not_retried(store: &AnyStore) {
    first(store).await;
    store.cancel_turn(None, &wish("e1")).await.unwrap();
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.retried), (0, 0));
    assert_eq!(kinds(&recovered.changes[0].changes), ["run"]);
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!((run.status, run.error), (RunStatus::Canceled, None));
    assert!(claim_at(store, now()).await.is_none());
}

async fn turn_canceled_while_failing_ends_at_once(store: &AnyStore) {
    let claim = first(store).await;
    begin(store, existing("t"), "e2", &retrying("none")).await;
    store.cancel_turn(None, &wish("e1")).await.unwrap();
    let changes = vec![written("t", "tried", Some("r"))];
    let later = now() + TimeDelta::minutes(1);
    let published = store
        .retry_turn(&scope(), &claim.key, changes, later)
        .await
        .unwrap();
    assert!(published.is_cancelled);
    assert_eq!(kinds(&published.changes), ["event", "run"]);
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(run.status, RunStatus::Canceled);
    assert!(run.ended_at.is_some());
    // The turn behind it does not wait for the retry.
    assert_eq!(claim_at(store, now()).await.unwrap().event.id, "e2");
}

/// Starts a concurrent turn with one retry.
fn beside(run_id: &str) -> ClaimOptions {
    ClaimOptions {
        on_busy: dooers::OnBusy::Concurrent,
        ..retrying(run_id)
    }
}

/// Creates two concurrent turns of a thread that wait until these times.
async fn wait_until(store: &AnyStore, times: [DateTime<Utc>; 2]) {
    let one = begin(store, new_thread("t"), "e1", &beside("r1")).await;
    let two = begin(store, existing("t"), "e2", &beside("r2")).await;
    for (claim, at) in [one, two].into_iter().zip(times) {
        let key = claim.unwrap().key;
        let published = store.retry_turn(&scope(), &key, Vec::new(), at).await;
        assert!(!published.unwrap().is_cancelled);
    }
}

async fn concurrent_turns_are_retried_independently(store: &AnyStore) {
    let (soon, later) = (
        now() + TimeDelta::seconds(1),
        now() + TimeDelta::seconds(60),
    );
    wait_until(store, [later, soon]).await;
    let claim = async |at| {
        let start = ClaimOptions {
            at,
            ..beside("none")
        };
        let claim = store.claim_turn(&scope(), "t", &start).await.unwrap();
        claim.map(|claim| claim.event.id)
    };
    assert_eq!(claim(soon - TimeDelta::microseconds(1)).await, None);
    // The older turn, which waits longer, does not delay this one.
    assert_eq!(claim(soon).await.as_deref(), Some("e2"));
    assert_eq!(claim(soon).await, None);
    assert_eq!(claim(later).await.as_deref(), Some("e1"));
}

async fn pending_turns_report_their_earliest_start_times(store: &AnyStore) {
    let (soon, later) = (
        now() + TimeDelta::seconds(1),
        now() + TimeDelta::seconds(60),
    );
    wait_until(store, [soon, later]).await;
    let [waiting] = &store.recover().await.unwrap().waiting[..] else {
        panic!("one thread has queued turns");
    };
    assert_eq!(
        (waiting.not_before, waiting.all_from),
        (Some(soon), Some(later))
    );
}

async fn turn_waiting_for_a_retry_can_be_canceled(store: &AnyStore) {
    let claim = first(store).await;
    let later = now() + TimeDelta::minutes(1);
    requeue(store, &claim.key, later).await;
    begin(store, existing("t"), "e2", &retrying("none")).await;
    let cancelled = store.cancel_turn(None, &wish("e1")).await.unwrap();
    let Cancelled::Withdrawn {
        changes, waiting, ..
    } = cancelled
    else {
        panic!("{cancelled:?}");
    };
    // The turn already has a run.
    let [run] = &runs_of(&changes)[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((run.id.as_str(), run.status), ("r", RunStatus::Canceled));
    // The turn behind it may run.
    assert_eq!(waiting.unwrap().thread_id, "t");
    assert_eq!(claim_at(store, now()).await.unwrap().event.id, "e2");
}

async fn interrupt_ends_the_run_of_a_turn_awaiting_retry(store: &AnyStore) {
    let claim = first(store).await;
    requeue(store, &claim.key, now() + TimeDelta::minutes(1)).await;
    let start = ClaimOptions {
        on_busy: dooers::OnBusy::Interrupt,
        ..start("r2")
    };
    let next = begin(store, existing("t"), "e2", &start).await.unwrap();
    assert_eq!(next.event.id, "e2");
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(run.status, RunStatus::Canceled);
}

async fn retry_with_manual_runs_ends_the_previous_run(store: &AnyStore) {
    let manual = ClaimOptions {
        run_id: None,
        ..retrying("")
    };
    let claim = begin(store, new_thread("t"), "e1", &manual).await.unwrap();
    let running = run_change("t", "own", RunStatus::Running);
    write(store, &claim.key, vec![running]).await;
    store.recover().await.unwrap();
    let next = store.claim_turn(&scope(), "t", &manual).await;
    let next = next.unwrap().unwrap();
    assert_eq!((next.attempt, next.run), (2, None));
    let [run] = &runs_of(&next.changes)[..] else {
        panic!("{:?}", next.changes);
    };
    assert_eq!(
        (run.id.as_str(), run.error.as_deref()),
        ("own", Some("interrupted"))
    );
    begin_thread(store, "other", "r").await;
}

async fn first_attempt_does_not_continue_a_program_run(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    begin(store, existing("t"), "e2", &start("none")).await;
    let own = with!(Run {
        event_id: Some("e2".to_owned()),
        ..run("t", "own", RunStatus::Running)
    });
    let edit = ThreadEdit::CreateRun(own.clone());
    store.edit_thread(&scope(), "t", edit).await.unwrap();
    let next = finish(store, &claim.key, "r2").await.unwrap();
    assert_eq!((next.event.id.as_str(), next.attempt), ("e2", 1));
    assert_eq!(next.run.unwrap().id, "r2");
    let stored = run_named(store, &scope(), "t", "own").await;
    assert_eq!(stored.status, RunStatus::Running);
    // The run names the message, so it ends at the next attempt at the latest.
    store.recover().await.unwrap();
    let stored = run_named(store, &scope(), "t", "own").await;
    assert_eq!(stored.status, RunStatus::Failed);
}
