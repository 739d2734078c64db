//! Cancellation of turns.

use crate::asserts::{assert_not_found, events_and_runs, run_named};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, begin_thread, ben, existing, finish, now, private_scope, run_change, say, scope, start,
    write,
};
use dooers::protocol::RunStatus;
use dooers::store::{Cancel, CancelTarget, Cancelled, ChangeBody, Scope};

cases![
    queued_turn_is_withdrawn_and_its_run_canceled,
    running_turn_is_marked_and_left_to_its_runner,
    cancel_of_an_ended_turn_changes_nothing,
    other_turns_continue_after_a_withdrawal,
    cancel_outside_the_scope_is_not_found,
    cancel_without_a_scope_reaches_every_turn,
    cancel_by_run_id_finds_the_run_that_continues,
];

fn cancel(target: CancelTarget) -> Cancel {
    Cancel {
        target,
        run_id: "withdrawn".to_owned(),
        at: now(),
    }
}

fn of_event(id: &str) -> Cancel {
    cancel(CancelTarget::Event(id.to_owned()))
}

fn of_run(id: &str) -> Cancel {
    cancel(CancelTarget::Run(id.to_owned()))
}

async fn cancel_turn(store: &AnyStore, cancel: &Cancel) -> Cancelled {
    store.cancel_turn(Some(&scope()), cancel).await.unwrap()
}

fn is_running(cancelled: &Cancelled, event: &str) -> bool {
    matches!(cancelled, Cancelled::Running { thread_id, event_id } if thread_id == "t" && event_id == event)
}

async fn queued_turn_is_withdrawn_and_its_run_canceled(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let waiting = say(store, existing("t"), "second", "none").await;
    assert!(waiting.claim.is_none());
    let wish = of_event(&waiting.event.id);
    let Cancelled::Withdrawn {
        scope: found_in,
        changes,
        waiting: others,
    } = cancel_turn(store, &wish).await
    else {
        panic!("the turn is queued");
    };
    assert_eq!((*found_in, others), (scope(), None));
    let [change] = &changes[..] else {
        panic!("{changes:?}");
    };
    let ChangeBody::Run(run) = &change.body else {
        panic!("{change:?}");
    };
    assert_eq!(
        (run.id.as_str(), run.status),
        ("withdrawn", RunStatus::Canceled)
    );
    assert_eq!((run.started_at, run.ended_at), (wish.at, Some(wish.at)));
    assert_eq!(change.rev, waiting.rev + 1);
    assert_eq!(run_named(store, &scope(), "t", "withdrawn").await, *run);
    // The withdrawn turn never runs.
    assert!(finish(store, &claim.key, "next").await.is_none());
    assert!(matches!(cancel_turn(store, &wish).await, Cancelled::Ended));
}

async fn running_turn_is_marked_and_left_to_its_runner(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let (events, runs) = events_and_runs(store, &scope(), "t").await;
    assert!(is_running(
        &cancel_turn(store, &of_run("r")).await,
        &claim.key.event_id
    ));
    let by_event = cancel_turn(store, &of_event(&claim.key.event_id)).await;
    assert!(is_running(&by_event, &claim.key.event_id));
    assert_eq!(events_and_runs(store, &scope(), "t").await, (events, runs));
    // The runner of the turn ends its run.
    let end = vec![run_change("t", "r", RunStatus::Canceled)];
    store
        .finish_turn(&scope(), &claim.key, end, Some(&start("none")))
        .await
        .unwrap();
    assert!(matches!(
        cancel_turn(store, &of_run("r")).await,
        Cancelled::Ended
    ));
}

async fn cancel_of_an_ended_turn_changes_nothing(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    write(
        store,
        &claim.key,
        vec![run_change("t", "r", RunStatus::Succeeded)],
    )
    .await;
    // The id of an ended run does not cancel the turn, which may continue.
    assert!(matches!(
        cancel_turn(store, &of_run("r")).await,
        Cancelled::Ended
    ));
    finish(store, &claim.key, "none").await;
    let before = events_and_runs(store, &scope(), "t").await;
    for wish in [of_run("r"), of_event(&claim.key.event_id)] {
        assert!(matches!(cancel_turn(store, &wish).await, Cancelled::Ended));
    }
    assert_eq!(events_and_runs(store, &scope(), "t").await, before);
}

async fn other_turns_continue_after_a_withdrawal(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let second = say(store, existing("t"), "second", "none").await;
    let third = say(store, existing("t"), "third", "none").await;
    cancel_turn(store, &of_event(&second.event.id)).await;
    let next = finish(store, &claim.key, "r3")
        .await
        .expect("the third turn is queued");
    assert_eq!(next.key.event_id, third.event.id);
}

async fn cancel_outside_the_scope_is_not_found(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let waiting = say(store, existing("t"), "second", "none").await;
    let elsewhere = |change: fn(&mut Scope)| {
        let mut other = scope();
        change(&mut other);
        other
    };
    for other in [
        elsewhere(|scope| scope.agent = "other".to_owned()),
        elsewhere(|scope| scope.worker_id = "other".to_owned()),
        elsewhere(|scope| scope.organization_id = "other".to_owned()),
        elsewhere(|scope| scope.workspace_id = "other".to_owned()),
        private_scope(&ben()),
    ] {
        for wish in [of_run("r"), of_event(&waiting.event.id)] {
            assert_not_found(store.cancel_turn(Some(&other), &wish).await);
        }
    }
    let own = private_scope(&ana());
    let wish = of_event(&waiting.event.id);
    let done = store.cancel_turn(Some(&own), &wish).await.unwrap();
    assert!(matches!(done, Cancelled::Withdrawn { .. }));
    assert_not_found(store.cancel_turn(Some(&scope()), &of_run("nothing")).await);
    assert_not_found(
        store
            .cancel_turn(Some(&scope()), &of_event("nothing"))
            .await,
    );
    store.delete_thread(&scope(), "t").await.unwrap();
    let gone = of_event(&claim.key.event_id);
    assert_not_found(store.cancel_turn(Some(&scope()), &gone).await);
}

async fn cancel_without_a_scope_reaches_every_turn(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let published = store.cancel_turn(None, &of_run("r")).await.unwrap();
    assert!(is_running(&published, &claim.key.event_id));
    assert_not_found(store.cancel_turn(None, &of_run("nothing")).await);
}

async fn cancel_by_run_id_finds_the_run_that_continues(store: &AnyStore) {
    // The server generates run ids. A store keeps them unique only within a thread.
    for thread_id in ["t", "u", "v"] {
        let claim = begin_thread(store, thread_id, "r").await;
        if thread_id == "u" {
            continue;
        }
        let end = vec![run_change(thread_id, "r", RunStatus::Succeeded)];
        store
            .finish_turn(&scope(), &claim.key, end, None)
            .await
            .unwrap();
    }
    match cancel_turn(store, &of_run("r")).await {
        Cancelled::Running { thread_id, .. } => assert_eq!(thread_id, "u"),
        other => panic!("{other:?}"),
    }
}
