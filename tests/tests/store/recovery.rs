//! Recovery by a process that starts after another one has died.

use crate::asserts::{
    assert_not_found, assert_stale, catch_up_fully, dump, events_and_runs, events_of, ids, newest,
    run_named, runs_of, threads_of,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, append, begin_thread, existing, finish, manual_start, message, new_thread, now,
    run_change, say, scope, start, write, written,
};
use dooers::protocol::{Actor, EventType, RunStatus};
use dooers::store::{
    Cancel, CancelTarget, Claim, ClaimOptions, HeldTurn, Participant, PendingThread, Scope,
    TurnKey, Viewer,
};
use dooers_tests::with;
use std::collections::BTreeSet;
use std::time::Duration;

/// A lease that does not expire during a test.
const HOUR: Duration = Duration::from_secs(3600);

cases![
    empty_store_has_nothing_to_recover,
    running_turn_is_interrupted,
    reader_receives_recovery_changes,
    recovery_fails_only_open_runs,
    turn_without_a_run_is_recorded_by_an_event,
    finished_turn_is_unchanged_by_recovery,
    threads_with_queued_turns_include_their_scope,
    queued_turns_run_in_order_after_recovery,
    second_recovery_interrupts_nothing,
    turn_claimed_after_recovery_has_a_new_fence,
    turn_expires_only_after_its_lease,
    renewal_extends_only_leases_of_its_node,
    renewal_reports_canceled_turns,
    resume_returns_the_claim_again,
    resume_is_refused_for_turns_of_others,
];

async fn empty_store_has_nothing_to_recover(store: &AnyStore) {
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.waiting), (0, Vec::new()));
}

async fn running_turn_is_interrupted(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    append(store, &claim.key, [1], Some("r")).await;
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.waiting), (1, Vec::new()));
    assert_eq!(recovered.interrupted_messages, [&*claim.key.event_id]);

    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(
        (run.status, run.error.as_deref()),
        (RunStatus::Failed, Some("interrupted"))
    );
    assert_eq!(run.started_at, claim.run.unwrap().started_at);
    assert!(run.ended_at.is_some());

    let (events, _) = events_and_runs(store, &scope(), "t").await;
    let [_, _, said] = events.as_slice() else {
        panic!("unexpected number of events: {events:?}");
    };
    assert_eq!(
        (said.kind, said.actor, said.seq),
        (EventType::Message, Actor::System, 3)
    );
    assert_eq!(said.run_id.as_deref(), Some("r"));
    let text = said
        .content
        .as_ref()
        .and_then(|content| content[0].as_text());
    assert!(text.is_some_and(|text| !text.is_empty()), "{said:?}");
    assert!(!said.id.is_empty() && said.user.is_none());

    let record = store.thread(&scope(), "t").await.unwrap();
    assert_eq!(record.thread.last_event_at, said.created_at);
    let changes = vec![written("t", "late", None)];
    assert_stale(
        store
            .write_turn(&scope(), &claim.key, changes.clone())
            .await,
    );
    assert_stale(
        store
            .finish_turn(&scope(), &claim.key, changes, Some(&start("late")))
            .await,
    );
}

async fn reader_receives_recovery_changes(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let position = newest(store, &scope(), "t").await.position;
    store.recover().await.unwrap();
    let rev = store.thread(&scope(), "t").await.unwrap().rev;
    let (changes, position) = catch_up_fully(store, &scope(), "t", position, 10).await;
    assert_eq!(position.rev, rev);
    assert_eq!(runs_of(&changes)[0].status, RunStatus::Failed);
    assert_eq!(events_of(&changes)[0].actor, Actor::System);
    assert_eq!(
        threads_of(&changes).len(),
        1,
        "the thread has a new last event"
    );
    // Each change has its own revision.
    let published: BTreeSet<u64> = changes.iter().map(|change| change.rev).collect();
    assert_eq!(published, (claim.thread.rev + 1..=rev).collect());
}

async fn recovery_fails_only_open_runs(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let changes = vec![
        run_change("t", "done", RunStatus::Running),
        run_change("t", "done", RunStatus::Succeeded),
        run_change("t", "open", RunStatus::Running),
    ];
    write(store, &claim.key, changes).await;
    let done = run_named(store, &scope(), "t", "done").await;
    assert_eq!(store.recover().await.unwrap().interrupted, 1);
    assert_eq!(run_named(store, &scope(), "t", "done").await, done);
    for id in ["r", "open"] {
        let run = run_named(store, &scope(), "t", id).await;
        assert_eq!(
            (run.status, run.error.as_deref()),
            (RunStatus::Failed, Some("interrupted"))
        );
    }
    let snapshot = newest(store, &scope(), "t").await;
    assert!(
        snapshot
            .runs
            .iter()
            .all(|run| run.status != RunStatus::Running)
    );
}

async fn turn_without_a_run_is_recorded_by_an_event(store: &AnyStore) {
    let new = message(new_thread("t"), "e", &ana());
    store
        .begin_turn(&scope(), new, &manual_start())
        .await
        .unwrap();
    assert_eq!(store.recover().await.unwrap().interrupted, 1);
    let (events, runs) = events_and_runs(store, &scope(), "t").await;
    assert_eq!((events.len(), runs.len()), (2, 0));
    assert_eq!((events[1].actor, &events[1].run_id), (Actor::System, &None));
}

async fn finished_turn_is_unchanged_by_recovery(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let changes = vec![run_change("t", "r", RunStatus::Succeeded)];
    store
        .finish_turn(&scope(), &claim.key, changes, Some(&start("none")))
        .await
        .unwrap();
    let before = dump(store, &scope()).await;
    assert_eq!(store.recover().await.unwrap().interrupted, 0);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn threads_with_queued_turns_include_their_scope(store: &AnyStore) {
    let elsewhere = with!(Scope {
        agent: "other agent".to_owned(),
        worker_id: "other worker".to_owned(),
        organization_id: "other organization".to_owned(),
        workspace_id: "other workspace".to_owned(),
        viewer: Viewer::Only(Participant::user(&ana())),
        ..Scope::new("other agent", "other worker")
            .organization("other organization")
            .workspace("other workspace")
    });
    let mut expected = Vec::new();
    for (place, scope) in [("here", scope()), ("there", elsewhere)] {
        for (number, waiting) in [0, 1, 3].into_iter().enumerate() {
            let id = format!("{place}-{number}");
            for event in 0..=waiting {
                let target = if event == 0 {
                    new_thread(&id)
                } else {
                    existing(&id)
                };
                let new = message(target, &format!("{id}-{event}"), &ana());
                let run = format!("{id}-run-{event}");
                store.begin_turn(&scope, new, &start(&run)).await.unwrap();
            }
            if waiting > 0 {
                expected.push(PendingThread {
                    scope: scope.of_everyone(),
                    thread_id: id,
                    not_before: None,
                    all_from: None,
                });
            }
        }
    }
    let mut recovered = store.recover().await.unwrap();
    assert_eq!(recovered.interrupted, 6);
    recovered
        .waiting
        .sort_by(|a, b| a.thread_id.cmp(&b.thread_id));
    assert_eq!(recovered.waiting, expected);
    for PendingThread {
        scope, thread_id, ..
    } in &recovered.waiting
    {
        let start = start(&format!("{thread_id}-again"));
        let claim = store
            .claim_turn(scope, thread_id, &start)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(claim.key.event_id, format!("{thread_id}-1"));
        assert_eq!(claim.run.unwrap().agent_id.as_ref(), Some(&scope.agent));
    }
}

async fn queued_turns_run_in_order_after_recovery(store: &AnyStore) {
    begin_thread(store, "t", "r1").await;
    say(store, existing("t"), "z", "waits").await;
    say(store, existing("t"), "a", "waits").await;
    store.recover().await.unwrap();
    let starting = start("r2");
    let claimed = store.claim_turn(&scope(), "t", &starting).await.unwrap();
    let claim: Claim = claimed.expect("two turns are queued");
    assert_eq!((claim.key.event_id.as_str(), claim.attempt), ("z", 1));
    assert!(claim.key.fence >= 1);
    let run = claim.run.clone().unwrap();
    // Recovery uses the real clock, which is ahead of the clock of the test.
    assert!(run.id == "r2" && run.started_at > starting.at, "{run:?}");
    assert_eq!(runs_of(&claim.changes), [run]);
    assert_eq!(claim.changes[0].rev, claim.thread.rev);
    assert!(
        store
            .claim_turn(&scope(), "t", &start("r3"))
            .await
            .unwrap()
            .is_none()
    );
    append(store, &claim.key, [1], Some("r2")).await;
    let next = finish(store, &claim.key, "r3").await.unwrap();
    assert_eq!(next.key.event_id, "a");
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events[..3]), ["t-question", "z", "a"]);
}

async fn second_recovery_interrupts_nothing(store: &AnyStore) {
    begin_thread(store, "t", "r1").await;
    say(store, existing("t"), "e2", "waits").await;
    let first = store.recover().await.unwrap();
    let before = dump(store, &scope()).await;
    let second = store.recover().await.unwrap();
    assert_eq!((first.interrupted, second.interrupted), (1, 0));
    assert_eq!(first.waiting, second.waiting);
    assert_eq!(dump(store, &scope()).await, before);
    // If the process dies again, the claimed turn is interrupted, too.
    let claim = store
        .claim_turn(&scope(), "t", &start("r2"))
        .await
        .unwrap()
        .unwrap();
    let third = store.recover().await.unwrap();
    assert_eq!((third.interrupted, third.waiting), (1, Vec::new()));
    assert_eq!(
        run_named(store, &scope(), "t", "r2").await.status,
        RunStatus::Failed
    );
    assert_stale(store.write_turn(&scope(), &claim.key, Vec::new()).await);
}

async fn turn_claimed_after_recovery_has_a_new_fence(store: &AnyStore) {
    let old = begin_thread(store, "t", "r1").await;
    begin_thread(store, "gone", "r2").await;
    store.delete_thread(&scope(), "gone").await.unwrap();
    assert_eq!(store.recover().await.unwrap().interrupted, 1);
    assert_not_found(store.thread(&scope(), "gone").await);
    let begun = say(store, existing("t"), "e2", "r3").await;
    let claim = begun.claim.expect("nothing runs");
    assert_stale(store.write_turn(&scope(), &old.key, Vec::new()).await);
    append(store, &claim.key, [1], Some("r3")).await;
}

async fn turn_expires_only_after_its_lease(store: &AnyStore) {
    let kept = ClaimOptions {
        lease: HOUR,
        ..start("kept")
    };
    let question = message(new_thread("kept"), "e", &ana());
    store.begin_turn(&scope(), question, &kept).await.unwrap();
    say(store, existing("kept"), "waits behind it", "r3").await;
    let claim = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "waits", "r2").await;

    let expired = store.expire_leases(now()).await.unwrap();
    let waiting = PendingThread {
        scope: scope(),
        thread_id: "t".to_owned(),
        not_before: None,
        all_from: None,
    };
    assert_eq!((expired.interrupted, expired.waiting), (1, vec![waiting]));
    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(
        (run.status, run.error.as_deref()),
        (RunStatus::Failed, Some("interrupted"))
    );
    assert_stale(store.write_turn(&scope(), &claim.key, Vec::new()).await);
    let run = run_named(store, &scope(), "kept", "kept").await;
    assert_eq!(run.status, RunStatus::Running);
}

async fn renewal_extends_only_leases_of_its_node(store: &AnyStore) {
    let claim = begin_thread(store, "mine", "r").await;
    let other = ClaimOptions {
        node: "another".to_owned(),
        ..start("r2")
    };
    let elsewhere = message(new_thread("theirs"), "e2", &ana());
    store.begin_turn(&scope(), elsewhere, &other).await.unwrap();

    let none: [HeldTurn; 0] = [];
    assert_eq!(store.renew_leases("nobody", HOUR).await.unwrap(), none);
    let renewed = store.renew_leases("node", HOUR).await.unwrap();
    let held = HeldTurn {
        key: claim.key,
        scope: scope(),
        is_cancelled: false,
        questions: Vec::new(),
    };
    assert_eq!(renewed, std::slice::from_ref(&held));
    assert_eq!(store.expire_leases(now()).await.unwrap().interrupted, 1);
    let run = run_named(store, &scope(), "mine", "r").await;
    assert_eq!(run.status, RunStatus::Running);
    let renewed = store.renew_leases("node", Duration::ZERO).await.unwrap();
    assert_eq!(renewed, [held]);
    assert_eq!(store.expire_leases(now()).await.unwrap().interrupted, 1);
    assert_eq!(store.renew_leases("node", HOUR).await.unwrap(), none);
}

async fn renewal_reports_canceled_turns(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let wish = Cancel {
        target: CancelTarget::Run("r".to_owned()),
        run_id: "none".to_owned(),
        at: now(),
    };
    store.cancel_turn(Some(&scope()), &wish).await.unwrap();
    let cancelled = HeldTurn {
        key: claim.key,
        scope: scope(),
        is_cancelled: true,
        questions: Vec::new(),
    };
    let renewed = store.renew_leases("node", HOUR).await;
    assert_eq!(renewed.unwrap(), [cancelled]);
}

/// Resumes the only turn that this process holds, as it would if the answer to the claim had been lost.
async fn resumed(store: &AnyStore, claim: &Claim) {
    let before = dump(store, &scope()).await;
    let held = store.renew_leases("node", HOUR).await.unwrap();
    let [held] = held.as_slice() else {
        panic!("not one turn: {held:?}");
    };
    assert_eq!((&held.key, &held.scope), (&claim.key, &scope()));
    let again = store.resume_turn(&held.scope, &held.key).await.unwrap();
    assert_eq!(
        (&again.key, &again.event, &again.run, again.attempt),
        (&claim.key, &claim.event, &claim.run, claim.attempt)
    );
    assert!(again.changes.is_empty());
    assert_eq!(dump(store, &scope()).await, before);
}

async fn resume_returns_the_claim_again(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r1").await;
    resumed(store, &claim).await;
    say(store, existing("t"), "e2", "none").await;
    let next = finish(store, &claim.key, "r2").await.unwrap();
    resumed(store, &next).await;
    // The next attempt continues the run.
    let retried = store
        .retry_turn(&scope(), &next.key, Vec::new(), now())
        .await;
    assert!(!retried.unwrap().is_cancelled);
    let claimed = store.claim_turn(&scope(), "t", &start("r3")).await;
    let again = claimed.unwrap().unwrap();
    assert_eq!((again.attempt, &again.run), (2, &next.run));
    resumed(store, &again).await;
    // A process that does not know it can also end it.
    let held = store.renew_leases("node", HOUR).await.unwrap();
    assert!(finish(store, &held[0].key, "none").await.is_none());
    assert_stale(store.resume_turn(&scope(), &again.key).await);
    // A turn without a run.
    let new = message(existing("t"), "e4", &ana());
    let begun = store.begin_turn(&scope(), new, &manual_start()).await;
    let claim = begun.unwrap().claim.unwrap();
    assert_eq!(claim.run, None);
    resumed(store, &claim).await;
}

async fn resume_is_refused_for_turns_of_others(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r1").await;
    let other = with!(Scope {
        worker_id: "another".to_owned(),
        ..scope()
    });
    assert_not_found(store.resume_turn(&other, &claim.key).await);
    let later = TurnKey {
        fence: claim.key.fence + 1,
        ..claim.key.clone()
    };
    assert_stale(store.resume_turn(&scope(), &later).await);
    say(store, existing("t"), "waits", "none").await;
    let waits = TurnKey {
        event_id: "waits".to_owned(),
        fence: 0,
        ..claim.key.clone()
    };
    assert_stale(store.resume_turn(&scope(), &waits).await);
    store.recover().await.unwrap();
    assert_stale(store.resume_turn(&scope(), &claim.key).await);
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_not_found(store.resume_turn(&scope(), &claim.key).await);
}
