//! What is found by a process that starts after another has died.

use crate::given::{
    ana, append, begin_thread, existing, finish, manual_start, message, new_thread, now,
    run_change, say, scope, start, write, written,
};
use crate::seen::{
    all_of, assert_not_found, assert_stale, caught_up, events_of, ids, newest, picture, run_named,
    runs_of, threads_of,
};
use crate::stores::{AnyStore, cases};
use dooers::protocol::{Actor, EventType, RunStatus};
use dooers::store::{
    Cancel, CancelTarget, Claim, HeldTurn, Participant, Scope, Start, TurnKey, Viewer, Waiting,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// A lease that does not run out while a case runs.
const HOUR: Duration = Duration::from_secs(3600);

cases![
    an_empty_store_has_nothing_to_recover,
    a_turn_that_was_running_ends_as_interrupted,
    a_reader_is_told_what_recovery_did,
    only_runs_that_go_on_are_failed,
    a_turn_that_had_no_run_is_told_of_by_an_event_only,
    a_turn_that_is_finished_is_left_as_it_is,
    threads_with_waiting_turns_are_listed_with_their_scope,
    waiting_turns_run_after_recovery_in_their_order,
    recovering_twice_interrupts_nothing_twice,
    a_turn_that_begins_after_recovery_is_another_one,
    only_a_turn_whose_lease_ran_out_expires,
    a_renewed_lease_holds_longer_and_only_that_of_its_node,
    who_renews_a_lease_learns_that_the_turn_was_cancelled,
    resume_returns_the_claim_again,
    resume_is_refused_for_turns_of_others,
];

async fn an_empty_store_has_nothing_to_recover(store: &AnyStore) {
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.waiting), (0, Vec::new()));
}

async fn a_turn_that_was_running_ends_as_interrupted(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    append(store, &claim.key, [1], Some("r")).await;
    let recovered = store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.waiting), (1, Vec::new()));

    let run = run_named(store, &scope(), "t", "r").await;
    assert_eq!(
        (run.status, run.error.as_deref()),
        (RunStatus::Failed, Some("interrupted"))
    );
    assert_eq!(run.started_at, claim.run.unwrap().started_at);
    assert!(run.ended_at.is_some());

    let (events, _) = all_of(store, &scope(), "t").await;
    let [_, _, said] = events.as_slice() else {
        panic!("not one event more: {events:?}");
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

async fn a_reader_is_told_what_recovery_did(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let position = newest(store, &scope(), "t").await.position;
    store.recover().await.unwrap();
    let rev = store.thread(&scope(), "t").await.unwrap().rev;
    let (changes, position) = caught_up(store, &scope(), "t", position, 10).await;
    assert_eq!(position.rev, rev);
    assert_eq!(runs_of(&changes)[0].status, RunStatus::Failed);
    assert_eq!(events_of(&changes)[0].actor, Actor::System);
    assert_eq!(
        threads_of(&changes).len(),
        1,
        "the thread has a new last event"
    );
    // One number each, and no other.
    let told: BTreeSet<u64> = changes.iter().map(|change| change.rev).collect();
    assert_eq!(told, (claim.thread.rev + 1..=rev).collect());
}

async fn only_runs_that_go_on_are_failed(store: &AnyStore) {
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

async fn a_turn_that_had_no_run_is_told_of_by_an_event_only(store: &AnyStore) {
    let new = message(new_thread("t"), "e", &ana());
    store
        .begin_turn(&scope(), new, &manual_start())
        .await
        .unwrap();
    assert_eq!(store.recover().await.unwrap().interrupted, 1);
    let (events, runs) = all_of(store, &scope(), "t").await;
    assert_eq!((events.len(), runs.len()), (2, 0));
    assert_eq!((events[1].actor, &events[1].run_id), (Actor::System, &None));
}

async fn a_turn_that_is_finished_is_left_as_it_is(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let changes = vec![run_change("t", "r", RunStatus::Succeeded)];
    store
        .finish_turn(&scope(), &claim.key, changes, Some(&start("none")))
        .await
        .unwrap();
    let before = picture(store, &scope()).await;
    assert_eq!(store.recover().await.unwrap().interrupted, 0);
    assert_eq!(picture(store, &scope()).await, before);
}

async fn threads_with_waiting_turns_are_listed_with_their_scope(store: &AnyStore) {
    let elsewhere = Scope {
        agent: "other agent".to_owned(),
        worker_id: "other worker".to_owned(),
        organization_id: "other organization".to_owned(),
        workspace_id: "other workspace".to_owned(),
        viewer: Viewer::Only(Participant::user(&ana())),
    };
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
                expected.push(Waiting {
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
    for Waiting {
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

async fn waiting_turns_run_after_recovery_in_their_order(store: &AnyStore) {
    begin_thread(store, "t", "r1").await;
    say(store, existing("t"), "z", "waits").await;
    say(store, existing("t"), "a", "waits").await;
    store.recover().await.unwrap();
    let starting = start("r2");
    let claimed = store.claim_turn(&scope(), "t", &starting).await.unwrap();
    let claim: Claim = claimed.expect("two wait");
    assert_eq!((claim.key.event_id.as_str(), claim.attempt), ("z", 1));
    assert!(claim.key.fence >= 1);
    let run = claim.run.clone().unwrap();
    // The clock of the recovery is the machine's, which is ahead of that of the test.
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
    let (events, _) = all_of(store, &scope(), "t").await;
    assert_eq!(ids(&events[..3]), ["t-question", "z", "a"]);
}

async fn recovering_twice_interrupts_nothing_twice(store: &AnyStore) {
    begin_thread(store, "t", "r1").await;
    say(store, existing("t"), "e2", "waits").await;
    let first = store.recover().await.unwrap();
    let before = picture(store, &scope()).await;
    let second = store.recover().await.unwrap();
    assert_eq!((first.interrupted, second.interrupted), (1, 0));
    assert_eq!(first.waiting, second.waiting);
    assert_eq!(picture(store, &scope()).await, before);
    // A claimed one that dies again is interrupted in its turn.
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

async fn a_turn_that_begins_after_recovery_is_another_one(store: &AnyStore) {
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

async fn only_a_turn_whose_lease_ran_out_expires(store: &AnyStore) {
    let kept = Start {
        lease: HOUR,
        ..start("kept")
    };
    let question = message(new_thread("kept"), "e", &ana());
    store.begin_turn(&scope(), question, &kept).await.unwrap();
    say(store, existing("kept"), "waits behind it", "r3").await;
    let claim = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "waits", "r2").await;

    let expired = store.expire_leases(now()).await.unwrap();
    let waiting = Waiting {
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

async fn a_renewed_lease_holds_longer_and_only_that_of_its_node(store: &AnyStore) {
    let claim = begin_thread(store, "mine", "r").await;
    let other = Start {
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

async fn who_renews_a_lease_learns_that_the_turn_was_cancelled(store: &AnyStore) {
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
    };
    let renewed = store.renew_leases("node", HOUR).await;
    assert_eq!(renewed.unwrap(), [cancelled]);
}

/// Resumes the only turn that this process holds, as it would if the answer to the claim had been lost.
async fn resumed(store: &AnyStore, claim: &Claim) {
    let before = picture(store, &scope()).await;
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
    assert_eq!(picture(store, &scope()).await, before);
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
    let other = Scope {
        worker_id: "another".to_owned(),
        ..scope()
    };
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
