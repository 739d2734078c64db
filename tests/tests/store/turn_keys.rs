//! Turn keys: the permission to write in a turn, and the order of claims.

use crate::asserts::{
    assert_not_found, assert_stale, dump, events_and_runs, ids, kinds, revs, seqs,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, append, begin_thread, existing, finish, manual_start, message, new_thread, run_change,
    say, scope, start, write, written,
};
use dooers::protocol::RunStatus;
use dooers::store::{Claim, TurnKey};
use futures::future::join_all;
use std::sync::Arc;

cases![
    turn_writes_are_numbered_and_readable,
    empty_write_changes_nothing,
    other_fence_cannot_write_or_finish,
    finished_turn_cannot_be_written_or_finished,
    turn_of_a_deleted_thread_cannot_be_written,
    queued_turn_cannot_be_written,
    key_of_another_thread_does_not_hold_the_turn,
    finish_writes_last_changes_and_claims_the_next,
    finished_thread_can_be_claimed_by_a_new_message,
    thread_without_queued_turns_has_no_claim,
    turn_with_manual_runs_creates_no_run,
    new_turn_does_not_overtake_queued_turns,
    one_of_many_concurrent_claims_gets_the_turn,
    one_of_many_concurrent_finishes_succeeds,
];

async fn turn_writes_are_numbered_and_readable(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let changes = vec![written("t", "a", Some("r")), written("t", "b", Some("r"))];
    let changes = write(store, &claim.key, changes).await;
    assert_eq!(kinds(&changes), ["event", "event"]);
    assert_eq!(revs(&changes), [4, 5]);
    let changes = write(store, &claim.key, vec![written("t", "c", None)]).await;
    assert_eq!(revs(&changes), [6]);
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["t-question", "a", "b", "c"]);
    assert_eq!(seqs(&events), [1, 2, 3, 4]);
    assert_eq!(events[1].run_id.as_deref(), Some("r"));
    assert_eq!(events[3].run_id, None);
    assert_eq!(store.thread(&scope(), "t").await.unwrap().rev, 6);
}

async fn empty_write_changes_nothing(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    assert!(write(store, &claim.key, Vec::new()).await.is_empty());
    assert_eq!(store.thread(&scope(), "t").await.unwrap().rev, 3);
}

/// Checks that this key can neither write nor finish, and that the attempts change nothing.
async fn assert_refused(store: &AnyStore, key: &TurnKey) {
    let before = dump(store, &scope()).await;
    for changes in [Vec::new(), vec![written(&key.thread_id, "late", None)]] {
        assert_stale(store.write_turn(&scope(), key, changes.clone()).await);
        assert_stale(
            store
                .finish_turn(&scope(), key, changes, Some(&start("late")))
                .await,
        );
    }
    assert_eq!(dump(store, &scope()).await, before);
}

async fn other_fence_cannot_write_or_finish(store: &AnyStore) {
    let Claim { key, .. } = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "e2", "r2").await;
    for fence in [0, key.fence - 1, key.fence + 1, u64::from(u32::MAX)] {
        if fence != key.fence {
            assert_refused(
                store,
                &TurnKey {
                    fence,
                    ..key.clone()
                },
            )
            .await;
        }
    }
    for event_id in ["e2", "t", "", "nothing"] {
        let event_id = event_id.to_owned();
        assert_refused(
            store,
            &TurnKey {
                event_id,
                ..key.clone()
            },
        )
        .await;
    }
    assert_eq!(finish(store, &key, "r2").await.unwrap().key.event_id, "e2");
}

async fn finished_turn_cannot_be_written_or_finished(store: &AnyStore) {
    let first = begin_thread(store, "t", "r").await;
    assert!(finish(store, &first.key, "none").await.is_none());
    assert_refused(store, &first.key).await;
    let second = say(store, existing("t"), "e2", "r2").await.claim.unwrap();
    assert_refused(store, &first.key).await;
    append(store, &second.key, [1], None).await;
}

async fn turn_of_a_deleted_thread_cannot_be_written(store: &AnyStore) {
    let Claim { key, .. } = begin_thread(store, "t", "r").await;
    store.delete_thread(&scope(), "t").await.unwrap();
    let changes = vec![written("t", "late", None)];
    assert_not_found(store.write_turn(&scope(), &key, changes.clone()).await);
    assert_not_found(
        store
            .finish_turn(&scope(), &key, changes, Some(&start("r2")))
            .await,
    );
    assert_not_found(store.claim_turn(&scope(), "t", &start("r2")).await);
}

async fn queued_turn_cannot_be_written(store: &AnyStore) {
    let Claim { key, .. } = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "e2", "r2").await;
    for fence in [0, 1, key.fence] {
        let event_id = "e2".to_owned();
        assert_refused(
            store,
            &TurnKey {
                event_id,
                fence,
                ..key.clone()
            },
        )
        .await;
    }
}

async fn key_of_another_thread_does_not_hold_the_turn(store: &AnyStore) {
    let first = begin_thread(store, "t1", "r1").await.key;
    let second = begin_thread(store, "t2", "r2").await.key;
    for (thread_id, event_id) in [
        (&first.thread_id, &second.event_id),
        (&second.thread_id, &first.event_id),
    ] {
        let crossed = TurnKey {
            thread_id: thread_id.clone(),
            event_id: event_id.clone(),
            fence: first.fence,
        };
        assert_refused(store, &crossed).await;
    }
}

async fn finish_writes_last_changes_and_claims_the_next(store: &AnyStore) {
    let first = begin_thread(store, "t", "r1").await;
    say(store, existing("t"), "e2", "waits").await;
    let changes = vec![
        written("t", "a", Some("r1")),
        run_change("t", "r1", RunStatus::Succeeded),
    ];
    let starting = start("r2");
    let done = store
        .finish_turn(&scope(), &first.key, changes, Some(&starting))
        .await
        .unwrap();
    assert_eq!(kinds(&done.changes), ["event", "run", "run"]);
    assert_eq!(revs(&done.changes), [5, 6, 7]);
    let next = done.next.expect("one turn was queued");
    assert_eq!((next.key.event_id.as_str(), next.attempt), ("e2", 1));
    assert_eq!(next.event.seq, 2);
    assert!(
        next.changes.is_empty(),
        "they stand in `FinishOutcome::changes`"
    );
    assert_eq!(next.thread, store.thread(&scope(), "t").await.unwrap());
    let run = next.run.expect("the turn has a run");
    assert_eq!((run.id.as_str(), run.started_at), ("r2", starting.at));
    // The turn is held now.
    append(store, &next.key, [3], Some("r2")).await;
}

async fn finished_thread_can_be_claimed_by_a_new_message(store: &AnyStore) {
    let mut claim = begin_thread(store, "t", "r0").await;
    for number in 1..4 {
        assert!(finish(store, &claim.key, "none").await.is_none());
        let begun = say(
            store,
            existing("t"),
            &format!("e{number}"),
            &format!("r{number}"),
        )
        .await;
        claim = begun.claim.expect("nothing runs");
    }
}

async fn thread_without_queued_turns_has_no_claim(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    assert!(
        store
            .claim_turn(&scope(), "t", &start("r2"))
            .await
            .unwrap()
            .is_none()
    );
    finish(store, &claim.key, "none").await;
    let before = dump(store, &scope()).await;
    assert!(
        store
            .claim_turn(&scope(), "t", &start("r2"))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(dump(store, &scope()).await, before);
    assert_not_found(store.claim_turn(&scope(), "nowhere", &start("r2")).await);
}

async fn turn_with_manual_runs_creates_no_run(store: &AnyStore) {
    let new = message(new_thread("t"), "e", &ana());
    let begun = store
        .begin_turn(&scope(), new, &manual_start())
        .await
        .unwrap();
    assert_eq!(kinds(&begun.changes), ["thread", "event"]);
    let claim = begun.claim.expect("nothing runs before it");
    assert!(claim.run.is_none() && claim.changes.is_empty());
    say(store, existing("t"), "e2", "waits").await;
    // Its handler may start any number of runs.
    let runs = vec![
        run_change("t", "r1", RunStatus::Running),
        run_change("t", "r1", RunStatus::Succeeded),
        run_change("t", "r2", RunStatus::Running),
    ];
    write(store, &claim.key, runs).await;
    let done = store
        .finish_turn(&scope(), &claim.key, Vec::new(), Some(&manual_start()))
        .await
        .unwrap();
    assert!(done.changes.is_empty());
    assert!(done.next.unwrap().run.is_none());
    let (_, runs) = events_and_runs(store, &scope(), "t").await;
    let statuses: Vec<_> = runs
        .iter()
        .map(|run| (run.id.as_str(), run.status))
        .collect();
    assert_eq!(
        statuses,
        [("r1", RunStatus::Succeeded), ("r2", RunStatus::Running)]
    );
}

async fn new_turn_does_not_overtake_queued_turns(store: &AnyStore) {
    let running = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "e2", "r2").await;
    // The process dies, and another message arrives before the queued turn is claimed.
    store.recover().await.unwrap();
    assert_refused(store, &running.key).await;
    let begun = say(store, existing("t"), "e3", "r3").await;
    assert!(
        begun
            .claim
            .as_ref()
            .is_none_or(|claim| claim.key.event_id == "e2")
    );
    let first = match begun.claim {
        Some(claim) => claim,
        None => store
            .claim_turn(&scope(), "t", &start("r4"))
            .await
            .unwrap()
            .unwrap(),
    };
    assert_eq!(first.key.event_id, "e2");
    assert_eq!(
        finish(store, &first.key, "r5").await.unwrap().key.event_id,
        "e3"
    );
}

async fn one_of_many_concurrent_claims_gets_the_turn(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    say(store, existing("t"), "e2", "r2").await;
    store.recover().await.unwrap();
    let tasks = (0..20).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let start = start(&format!("claim-{number}"));
            store.claim_turn(&scope(), "t", &start).await.unwrap()
        })
    });
    let claims: Vec<Claim> = join_all(tasks)
        .await
        .into_iter()
        .filter_map(Result::unwrap)
        .collect();
    assert_eq!(claims.len(), 1);
    append(store, &claims[0].key, [1], None).await;
}

async fn one_of_many_concurrent_finishes_succeeds(store: &AnyStore) {
    let Claim { key, .. } = begin_thread(store, "t", "r").await;
    say(store, existing("t"), "e2", "r2").await;
    say(store, existing("t"), "e3", "r3").await;
    let tasks = (0..20).map(|number| {
        let (store, key) = (Arc::clone(store), key.clone());
        tokio::spawn(async move {
            let changes = vec![written("t", &format!("last-{number}"), None)];
            let next = start(&format!("next-{number}"));
            store
                .finish_turn(&scope(), &key, changes, Some(&next))
                .await
        })
    });
    let ends = join_all(tasks)
        .await
        .into_iter()
        .map(|task| task.expect("the task does not panic"));
    let (mut done, refused): (Vec<_>, Vec<_>) = ends.partition(Result::is_ok);
    refused.into_iter().for_each(assert_stale);
    assert_eq!(done.len(), 1);
    let done = done.remove(0).unwrap();
    assert_eq!(done.next.unwrap().key.event_id, "e2");
    assert_eq!(events_and_runs(store, &scope(), "t").await.0.len(), 4);
}
