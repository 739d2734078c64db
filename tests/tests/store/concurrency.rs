//! Concurrent operations do not affect each other.

use crate::asserts::{
    assert_conflict, assert_not_found, assert_stale, events_and_runs, ids, invalid, newest, seqs,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, append, begin_thread, existing, finish, form_response, message, new_thread, repeatable,
    run_change, say, scope, start, thread_with_form, written,
};
use dooers::protocol::{ContentPart, RunStatus};
use dooers::store::{BeginOutcome, NewMessage, Scope, StoreError, TurnKey};
use dooers_tests::with;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

cases![
    invalid_operation_does_not_fail_its_batch,
    concurrent_messages_are_numbered_without_gaps,
    concurrent_threads_are_all_created,
    concurrent_turns_are_all_written,
    reader_never_sees_a_partial_change,
];

/// The outcome of an operation: true for a repeat, or an error.
type Answer = Result<bool, StoreError>;

async fn invalid_operation_does_not_fail_its_batch(store: &AnyStore) {
    let held = thread_with_form(store, "forms", "f").await;
    thread_with_form(store, "answered", "g").await;
    let answer = form_response(
        "answered",
        "answer",
        json!({"form_event_id": "g", "values": {"size": "S"}}),
    );
    store
        .begin_turn(&scope(), answer, &start("none"))
        .await
        .unwrap();
    let ended = begin_thread(store, "ended", "ended-r").await;
    finish(store, &ended.key, "none").await;
    let foreign = with!(Scope {
        worker_id: "other".to_owned(),
        ..scope()
    });
    let used = repeatable(existing("ended"), "used", "c");
    store
        .begin_turn(&scope(), used, &start("used-r"))
        .await
        .unwrap();

    let begin = |scope: Scope, new: NewMessage| -> BoxFuture<'_, Answer> {
        async move {
            let start = start(&format!("{}-r", new.event_id));
            let begun = store.begin_turn(&scope, new, &start).await;
            begun.map(|begun| begun.is_repeated)
        }
        .boxed()
    };
    let write = |turn: TurnKey, event_id: &'static str| -> BoxFuture<'_, Answer> {
        async move {
            let changes = vec![written(&turn.thread_id, event_id, None)];
            let written = store.write_turn(&scope(), &turn, changes).await;
            written.map(|_| false)
        }
        .boxed()
    };
    let finish = |turn: TurnKey, event_id: &'static str| -> BoxFuture<'_, Answer> {
        async move {
            let changes = vec![written(&turn.thread_id, event_id, None)];
            let done = store
                .finish_turn(&scope(), &turn, changes, Some(&start("bad")))
                .await;
            done.map(|_| false)
        }
        .boxed()
    };
    let delete = |scope: Scope, id: &'static str| -> BoxFuture<'_, Answer> {
        async move { store.delete_thread(&scope, id).await.map(|_| false) }.boxed()
    };
    let respond = |thread: &str, data| begin(scope(), form_response(thread, "bad", data));
    let late = || TurnKey {
        fence: held.key.fence + 1,
        ..held.key.clone()
    };
    let other_content = NewMessage {
        content: vec![ContentPart::text("something else")],
        ..repeatable(existing("ended"), "bad", "c")
    };
    let bad = vec![
        (
            "not found",
            begin(scope(), message(existing("nowhere"), "bad", &ana())),
        ),
        (
            "not found",
            begin(foreign.clone(), message(existing("ended"), "bad", &ana())),
        ),
        (
            "not found",
            respond(
                "forms",
                json!({"form_event_id": "nothing", "values": {"size": "S"}}),
            ),
        ),
        ("not found", delete(foreign, "ended")),
        ("not found", delete(scope(), "nowhere")),
        ("conflict", begin(scope(), other_content)),
        (
            "conflict",
            begin(scope(), message(new_thread("ended"), "bad", &ana())),
        ),
        (
            "conflict",
            respond(
                "answered",
                json!({"form_event_id": "g", "values": {"size": "S"}}),
            ),
        ),
        (
            "invalid",
            respond("forms", json!({"form_event_id": "f", "values": {}})),
        ),
        ("invalid", respond("forms", json!({"form_event_id": 1}))),
        ("stale", write(late(), "bad")),
        ("stale", write(ended.key.clone(), "bad")),
        ("stale", finish(late(), "bad")),
        (
            "repeated",
            begin(scope(), repeatable(existing("ended"), "bad", "c")),
        ),
    ];
    let mut asked = Vec::new();
    let mut good = 0..20;
    for (expected, operation) in bad {
        // A valid operation precedes each invalid one. The other valid ones follow at the end.
        let number = good
            .next()
            .expect("fewer invalid operations than valid ones");
        asked.push(("good", valid_operation(store, number)));
        asked.push((expected, operation));
    }
    asked.extend(good.map(|number| ("good", valid_operation(store, number))));
    let (expected, operations): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    let answers = join_all(operations).await;

    for (number, (expected, answer)) in expected.into_iter().zip(answers).enumerate() {
        match expected {
            "good" => assert!(!answer.unwrap_or_else(|error| panic!("{number}: {error}"))),
            "repeated" => assert!(answer.unwrap_or_else(|error| panic!("{number}: {error}"))),
            "not found" => assert_not_found(answer),
            "conflict" => assert_conflict(answer),
            "stale" => assert_stale(answer),
            _ => assert!(!invalid(answer).is_empty()),
        }
    }
    let listed = store.threads(&scope(), None, 100.into()).await.unwrap();
    assert_eq!(listed.total_count, 23);
    for number in 0..20 {
        let (events, runs) = events_and_runs(store, &scope(), &format!("good-{number}")).await;
        assert_eq!(ids(&events), [format!("good-{number}-e")]);
        assert_eq!(runs.len(), 1);
    }
    for (thread, events) in [("forms", 2), ("answered", 3), ("ended", 2)] {
        assert_eq!(
            events_and_runs(store, &scope(), thread).await.0.len(),
            events,
            "{thread}"
        );
    }
    append(store, &held.key, [9], None).await;
}

/// A message that creates a thread.
fn valid_operation(store: &AnyStore, number: usize) -> BoxFuture<'_, Answer> {
    async move {
        let id = format!("good-{number}");
        let new = repeatable(new_thread(&id), &format!("{id}-e"), &format!("{id}-c"));
        let start = start(&format!("{id}-r"));
        let begun = store.begin_turn(&scope(), new, &start).await;
        begun.map(|begun| begun.is_repeated)
    }
    .boxed()
}

async fn concurrent_messages_are_numbered_without_gaps(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let tasks = (0..40).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move { say(&store, existing("t"), &format!("e{number}"), "none").await })
    });
    let begun: Vec<BeginOutcome> = join_all(tasks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let revs: BTreeSet<u64> = begun.iter().map(|begun| begun.changes[0].rev).collect();
    assert_eq!(revs, (4..44).collect());
    let mut by_seq: Vec<_> = begun.into_iter().map(|begun| begun.event).collect();
    by_seq.sort_by_key(|event| event.seq);
    assert_eq!(seqs(&by_seq), (2..42).collect::<Vec<_>>());
    assert_eq!(events_and_runs(store, &scope(), "t").await.0[1..], by_seq);
}

async fn concurrent_threads_are_all_created(store: &AnyStore) {
    let tasks = (0..40).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            begin_thread(&store, &format!("t{number}"), &format!("r{number}")).await
        })
    });
    for claim in join_all(tasks).await {
        assert_eq!(claim.unwrap().thread.rev, 3);
    }
    let page = store.threads(&scope(), None, 100.into()).await.unwrap();
    assert_eq!((page.threads.len(), page.total_count), (40, 40));
}

async fn concurrent_turns_are_all_written(store: &AnyStore) {
    let tasks = (0..10).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let (id, run) = (format!("t{number}"), format!("r{number}"));
            let claim = begin_thread(&store, &id, &run).await;
            for event in 2..7 {
                append(&store, &claim.key, [event], Some(&run)).await;
            }
            let changes = vec![run_change(&id, &run, RunStatus::Succeeded)];
            let done = store
                .finish_turn(&scope(), &claim.key, changes, Some(&start("none")))
                .await;
            assert_eq!(done.unwrap().changes[0].rev, 9);
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    for number in 0..10 {
        let id = format!("t{number}");
        let snapshot = newest(store, &scope(), &id).await;
        let expected: Vec<_> = (2..7).map(|event| format!("{id}-{event}")).collect();
        assert_eq!(ids(&snapshot.events[1..]), expected);
        assert_eq!(snapshot.runs[0].status, RunStatus::Succeeded);
        assert_eq!((snapshot.runs.len(), snapshot.thread.rev), (1, 9));
    }
}

async fn reader_never_sees_a_partial_change(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let writer = {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for pair in 1..40 {
                append(&store, &claim.key, [pair * 2, pair * 2 + 1], Some("r")).await;
            }
        })
    };
    let mut last_rev = 0;
    while last_rev < 3 + 78 {
        let snapshot = newest(store, &scope(), "t").await;
        assert_eq!(snapshot.events.len() % 2, 1, "the question, and pairs");
        assert_eq!(snapshot.position.rev, snapshot.thread.rev);
        assert_eq!(snapshot.thread.rev, 2 + snapshot.events.len() as u64);
        assert!(snapshot.thread.rev >= last_rev, "what was seen stays");
        last_rev = snapshot.thread.rev;
        if writer.is_finished() {
            assert_eq!(newest(store, &scope(), "t").await.thread.rev, 3 + 78);
        }
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}
