//! Turns that are tried again.

use crate::given::{
    append, begin_thread, existing, finish, message, new_thread, now, run, run_change, scope,
    start, streamed, write, written,
};
use crate::seen::{
    all_of, assert_not_found, assert_stale, events_of, ids, kinds, run_named, runs_of,
};
use crate::stores::{AnyStore, cases};
use chrono::{DateTime, TimeDelta, Utc};
use dooers::protocol::{Run, RunStatus, User};
use dooers::store::{
    Cancel, CancelTarget, Cancelled, Claim, Start, ThreadEdit, ThreadTarget, TurnKey,
};
use dooers_tests::with;

cases![
    an_attempt_that_failed_leaves_its_run_and_what_it_stored_to_the_next,
    a_turn_is_not_tried_again_before_its_time_and_others_wait_behind_it,
    only_who_holds_a_turn_may_give_it_back,
    a_lost_turn_with_an_attempt_left_waits_for_it,
    a_lost_turn_without_an_attempt_left_ends_as_interrupted,
    a_lost_turn_that_was_cancelled_is_not_tried_again,
    a_turn_that_was_cancelled_while_it_failed_ends_at_once,
    a_turn_that_waits_for_another_attempt_can_be_cancelled,
    turns_side_by_side_are_each_tried_again_at_their_own_time,
    who_finds_turns_that_wait_learns_when_the_first_and_when_each_may_begin,
    an_interruption_ends_the_run_of_a_turn_that_waits_for_another_attempt,
    an_attempt_whose_handler_starts_its_runs_ends_the_run_before,
    first_attempt_does_not_continue_a_program_run,
];

/// Starts turns that have one more attempt.
fn retrying(run_id: &str) -> Start {
    Start {
        retries: 1,
        ..start(run_id)
    }
}

async fn begin(store: &AnyStore, thread: ThreadTarget, id: &str, start: &Start) -> Option<Claim> {
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

/// Gives a turn back, to be tried again from then on. Its run says nothing of that.
async fn give_back(store: &AnyStore, key: &TurnKey, not_before: DateTime<Utc>) {
    let changes = vec![written("t", "tried", Some("r"))];
    let told = store.retry_turn(&scope(), key, changes, not_before).await;
    let told = told.unwrap();
    assert!(!told.is_cancelled);
    assert_eq!(kinds(&told.changes), ["event"]);
}

/// Claims the next turn at this time.
async fn claim_at(store: &AnyStore, at: DateTime<Utc>) -> Option<Claim> {
    let start = Start {
        at,
        ..retrying("another")
    };
    store.claim_turn(&scope(), "t", &start).await.unwrap()
}

async fn an_attempt_that_failed_leaves_its_run_and_what_it_stored_to_the_next(store: &AnyStore) {
    let claim = first(store).await;
    write(store, &claim.key, vec![streamed("t", "s")]).await;
    let told = store
        .retry_turn(&scope(), &claim.key, Vec::new(), now())
        .await;
    let told = events_of(&told.unwrap().changes);
    assert_eq!((told[0].id.as_str(), told[0].finalized), ("s", Some(true)));
    assert_stale(store.write_turn(&scope(), &claim.key, Vec::new()).await);

    let next = claim_at(store, now()).await.unwrap();
    assert_eq!((next.attempt, next.event.id.as_str()), (2, "e1"));
    assert_eq!(next.run, claim.run);
    assert!(
        next.changes.is_empty(),
        "the run goes on: {:?}",
        next.changes
    );
    assert!(next.key.fence > claim.key.fence);
    append(store, &next.key, [1], Some("r")).await;
    let end = vec![run_change("t", "r", RunStatus::Succeeded)];
    write(store, &next.key, end).await;
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(run.started_at, claim.run.unwrap().started_at);
    let (events, runs) = all_of(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["e1", "s", "t-1"]);
    assert_eq!(runs.len(), 1);
}

async fn a_turn_is_not_tried_again_before_its_time_and_others_wait_behind_it(store: &AnyStore) {
    let claim = first(store).await;
    let later = now() + TimeDelta::minutes(1);
    give_back(store, &claim.key, later).await;
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
    // Whoever starts meanwhile learns when it may be.
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

async fn only_who_holds_a_turn_may_give_it_back(store: &AnyStore) {
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
    let (events, _) = all_of(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["e1"]);
}

async fn a_lost_turn_with_an_attempt_left_waits_for_it(store: &AnyStore) {
    let claim = first(store).await;
    write(store, &claim.key, vec![streamed("t", "s")]).await;
    let lost = store.expire_leases(now()).await.unwrap();
    assert_eq!((lost.interrupted, lost.retried), (0, 1));
    assert_eq!(kinds(&lost.changes[0]), ["event"]);
    assert_eq!(lost.waiting.len(), 1);
    let next = claim_at(store, now()).await.unwrap();
    assert_eq!((next.attempt, &next.run), (2, &claim.run));
    assert_stale(store.write_turn(&scope(), &claim.key, Vec::new()).await);
    assert!(finish(store, &next.key, "none").await.is_none());
}

async fn a_lost_turn_without_an_attempt_left_ends_as_interrupted(store: &AnyStore) {
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

async fn a_lost_turn_that_was_cancelled_is_not_tried_again(store: &AnyStore) {
    first(store).await;
    store.cancel_turn(None, &wish("e1")).await.unwrap();
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.retried), (0, 0));
    assert_eq!(kinds(&recovered.changes[0]), ["run"]);
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!((run.status, run.error), (RunStatus::Canceled, None));
    assert!(claim_at(store, now()).await.is_none());
}

async fn a_turn_that_was_cancelled_while_it_failed_ends_at_once(store: &AnyStore) {
    let claim = first(store).await;
    begin(store, existing("t"), "e2", &retrying("none")).await;
    store.cancel_turn(None, &wish("e1")).await.unwrap();
    let changes = vec![written("t", "tried", Some("r"))];
    let later = now() + TimeDelta::minutes(1);
    let told = store
        .retry_turn(&scope(), &claim.key, changes, later)
        .await
        .unwrap();
    assert!(told.is_cancelled);
    assert_eq!(kinds(&told.changes), ["event", "run"]);
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(run.status, RunStatus::Canceled);
    assert!(run.ended_at.is_some());
    // What waited behind it need not wait for its next attempt.
    assert_eq!(claim_at(store, now()).await.unwrap().event.id, "e2");
}

/// Starts turns that run side by side and have one more attempt.
fn beside(run_id: &str) -> Start {
    Start {
        on_busy: dooers::OnBusy::Concurrent,
        ..retrying(run_id)
    }
}

/// Turns of a thread, which wait side by side until these times.
async fn wait_until(store: &AnyStore, times: [DateTime<Utc>; 2]) {
    let one = begin(store, new_thread("t"), "e1", &beside("r1")).await;
    let two = begin(store, existing("t"), "e2", &beside("r2")).await;
    for (claim, at) in [one, two].into_iter().zip(times) {
        let key = claim.unwrap().key;
        let told = store.retry_turn(&scope(), &key, Vec::new(), at).await;
        assert!(!told.unwrap().is_cancelled);
    }
}

async fn turns_side_by_side_are_each_tried_again_at_their_own_time(store: &AnyStore) {
    let (soon, later) = (
        now() + TimeDelta::seconds(1),
        now() + TimeDelta::seconds(60),
    );
    wait_until(store, [later, soon]).await;
    let claim = async |at| {
        let start = Start {
            at,
            ..beside("none")
        };
        let claim = store.claim_turn(&scope(), "t", &start).await.unwrap();
        claim.map(|claim| claim.event.id)
    };
    assert_eq!(claim(soon - TimeDelta::microseconds(1)).await, None);
    // The older one, which waits for longer, does not hold it up.
    assert_eq!(claim(soon).await.as_deref(), Some("e2"));
    assert_eq!(claim(soon).await, None);
    assert_eq!(claim(later).await.as_deref(), Some("e1"));
}

async fn who_finds_turns_that_wait_learns_when_the_first_and_when_each_may_begin(store: &AnyStore) {
    let (soon, later) = (
        now() + TimeDelta::seconds(1),
        now() + TimeDelta::seconds(60),
    );
    wait_until(store, [soon, later]).await;
    let [waiting] = &store.recover().await.unwrap().waiting[..] else {
        panic!("one thread waits");
    };
    assert_eq!(
        (waiting.not_before, waiting.all_from),
        (Some(soon), Some(later))
    );
}

async fn a_turn_that_waits_for_another_attempt_can_be_cancelled(store: &AnyStore) {
    let claim = first(store).await;
    let later = now() + TimeDelta::minutes(1);
    give_back(store, &claim.key, later).await;
    begin(store, existing("t"), "e2", &retrying("none")).await;
    let cancelled = store.cancel_turn(None, &wish("e1")).await.unwrap();
    let Cancelled::Withdrawn { changes, waiting } = cancelled else {
        panic!("{cancelled:?}");
    };
    // It has a run already.
    let [run] = &runs_of(&changes)[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((run.id.as_str(), run.status), ("r", RunStatus::Canceled));
    // What waited behind it may go on.
    assert_eq!(waiting.unwrap().thread_id, "t");
    assert_eq!(claim_at(store, now()).await.unwrap().event.id, "e2");
}

async fn an_interruption_ends_the_run_of_a_turn_that_waits_for_another_attempt(store: &AnyStore) {
    let claim = first(store).await;
    give_back(store, &claim.key, now() + TimeDelta::minutes(1)).await;
    let start = Start {
        on_busy: dooers::OnBusy::Interrupt,
        ..start("r2")
    };
    let next = begin(store, existing("t"), "e2", &start).await.unwrap();
    assert_eq!(next.event.id, "e2");
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(run.status, RunStatus::Canceled);
}

async fn an_attempt_whose_handler_starts_its_runs_ends_the_run_before(store: &AnyStore) {
    let manual = Start {
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
    // It names the message, so it ends with the next attempt at the latest.
    store.recover().await.unwrap();
    let stored = run_named(store, &scope(), "t", "own").await;
    assert_eq!(stored.status, RunStatus::Failed);
}
