//! The outbox of analytics events: the events of a change, and the batches in which they are sent.

use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, begin_thread, existing, message, now, repeatable, run, run_change, say, scope, start,
    streamed, written,
};
use crate::fixtures::{finish, new_thread, write};
use dooers::protocol::{AnalyticsEvent, FeedbackTarget, FeedbackValue, RunStatus};
use dooers::store::{
    AnalyticsFilter, BatchClaim, Cancel, CancelTarget, ClaimOptions, NewFeedback, OutboxBatch,
    Participant, ThreadEdit, TurnChange, TurnKey,
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

cases![
    outbox_stores_nothing_while_it_is_off,
    turn_stores_its_events_in_order,
    events_without_a_turn_are_stored,
    refused_or_repeated_message_stores_no_event,
    changed_feedback_stores_an_event,
    tracked_events_are_stored_with_the_end_of_an_attempt,
    deleted_thread_leaves_its_events,
    new_batches_are_due_and_limited,
    old_batches_are_held_and_retried,
    trim_drops_the_oldest_events,
    concurrent_claims_share_no_event,
];

const HOUR: Duration = Duration::from_secs(3600);

/// A claim of any event, for this process and with this id for a new batch.
fn claim(node: &str, batch_id: &str) -> BatchClaim {
    BatchClaim {
        node: node.to_owned(),
        batch_id: batch_id.to_owned(),
        lease: HOUR,
        events: 100,
        bytes: 1024 * 1024,
        age: Duration::ZERO,
    }
}

fn keep(store: &AnyStore) {
    store.keep_outbox(Some(AnalyticsFilter::default()));
}

/// Stores events with these names for a worker.
async fn track(store: &AnyStore, worker_id: &str, names: impl IntoIterator<Item = String>) {
    let events = names.into_iter();
    let events = events.map(|name| AnalyticsEvent::new(name, worker_id, now()));
    store.append_outbox(events.collect()).await.unwrap();
}

fn numbered(numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    numbers.map(|number| format!("event-{number}"))
}

fn events(batch: &OutboxBatch) -> Vec<Value> {
    let events = batch.events.iter();
    events
        .map(|event| serde_json::from_str(event).unwrap())
        .collect()
}

fn names(batch: &OutboxBatch) -> Vec<String> {
    let events = events(batch).into_iter();
    events
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect()
}

/// Claims and removes all events of the outbox.
async fn drain(store: &AnyStore) -> Vec<Value> {
    let mut all = Vec::new();
    while let Some(batch) = store.claim_batch(&claim("n", "drained")).await.unwrap() {
        all.extend(events(&batch));
        store.remove_batch(&batch.id).await.unwrap();
    }
    all
}

/// Removes the batches of a test, and all events.
async fn clear(store: &AnyStore) {
    for batch_id in ["b", "c", "d"] {
        store.remove_batch(batch_id).await.unwrap();
    }
    drain(store).await;
}

async fn drained_names(store: &AnyStore) -> Vec<String> {
    let all = drain(store).await.into_iter();
    all.map(|event| event["event"].as_str().unwrap().to_owned())
        .collect()
}

async fn outbox_stores_nothing_while_it_is_off(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    track(store, "worker", numbered(0..1)).await;
    keep(store);
    finish(store, &claim.key, "r2").await;
    store.keep_outbox(None);
    begin_thread(store, "u", "s").await;
    assert!(drain(store).await.is_empty());
}

async fn turn_stores_its_events_in_order(store: &AnyStore) {
    keep(store);
    let begun = begin_thread(store, "t", "r").await;
    let texts = vec![written("t", "a", Some("r")), streamed("t", "b")];
    write(store, &begun.key, texts).await;
    let end = TurnChange::Finalize {
        event_id: "b".to_owned(),
        text: "whole".to_owned(),
    };
    let changes = vec![end, run_change("t", "r", RunStatus::Failed)];
    let finished = store.finish_turn(&scope(), &begun.key, changes, None).await;
    finished.unwrap();
    let all = drain(store).await;
    let shown = |event: &Value| {
        let user = event["user_id"].as_str().unwrap_or("-");
        let of = event["event_id"].as_str().unwrap_or("-");
        format!("{} {user} {of}", event["event"].as_str().unwrap())
    };
    let shown: Vec<_> = all.iter().map(shown).collect();
    assert_eq!(
        shown,
        [
            "thread.created ana -",
            "message.c2s ana t-question",
            "message.s2c ana a",
            "message.s2c ana b",
            "error.occurred ana t-question",
            "run.finished ana t-question",
        ]
    );
    let end = &all[5];
    assert_eq!(
        (&end["worker_id"], &end["agent_id"]),
        (&"worker".into(), &"worker".into())
    );
    assert_eq!(
        (&end["thread_id"], &end["run_id"]),
        (&"t".into(), &"r".into())
    );
    assert_eq!(
        (&end["data"]["status"], &end["data"]["attempt"]),
        (&"failed".into(), &1.into())
    );
}

async fn events_without_a_turn_are_stored(store: &AnyStore) {
    keep(store);
    begin_thread(store, "t", "r").await;
    say(store, existing("t"), "second", "unused").await;
    let cancel = Cancel {
        target: CancelTarget::Event("second".to_owned()),
        run_id: "withdrawn".to_owned(),
        at: now(),
    };
    store.cancel_turn(Some(&scope()), &cancel).await.unwrap();
    let failed = ThreadEdit::CreateRun(run("t", "own", RunStatus::Failed));
    store.edit_thread(&scope(), "t", failed).await.unwrap();
    // The lease of the first turn ends immediately.
    store.expire_leases(now()).await.unwrap();
    let all = drained_names(store).await;
    assert_eq!(
        all,
        [
            "thread.created",
            "message.c2s",
            "message.c2s",
            "run.finished",
            "error.occurred",
            "run.finished",
            "message.s2c",
            "error.occurred",
            "run.finished",
        ]
    );
}

async fn refused_or_repeated_message_stores_no_event(store: &AnyStore) {
    keep(store);
    let begin = async |new| store.begin_turn(&scope(), new, &start("r")).await;
    begin(repeatable(new_thread("t"), "e", "sent"))
        .await
        .unwrap();
    assert_eq!(
        drained_names(store).await,
        ["thread.created", "message.c2s"]
    );
    let again = begin(repeatable(existing("t"), "f", "sent")).await.unwrap();
    assert!(again.is_repeated);
    assert!(
        begin(message(existing("missing"), "g", &ana()))
            .await
            .is_err()
    );
    assert!(drain(store).await.is_empty());
}

async fn changed_feedback_stores_an_event(store: &AnyStore) {
    keep(store);
    begin_thread(store, "t", "r").await;
    drain(store).await;
    let given = |value| NewFeedback {
        id: "f".to_owned(),
        target: FeedbackTarget::Run("r".to_owned()),
        user_id: "ana".to_owned(),
        participant: Participant::user(&ana()),
        value,
        reason: Some("secret".to_owned()),
        classification: None,
        at: now(),
    };
    for value in [
        FeedbackValue::Like,
        FeedbackValue::Like,
        FeedbackValue::Dislike,
    ] {
        store.give_feedback(&scope(), given(value)).await.unwrap();
    }
    let all = drain(store).await;
    let names: Vec<_> = all
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["feedback.like", "feedback.dislike"]);
    let event = &all[0];
    assert_eq!(
        (&event["user_id"], &event["thread_id"]),
        (&"ana".into(), &"t".into())
    );
    assert_eq!(
        (&event["run_id"], &event["event_id"]),
        (&"r".into(), &"t-question".into())
    );
    assert_eq!(
        event["data"],
        json!({ "target_type": "run", "target_id": "r" })
    );
}

async fn tracked_events_are_stored_with_the_end_of_an_attempt(store: &AnyStore) {
    store.keep_outbox(Some(AnalyticsFilter::default()));
    let claim = begin_thread(store, "t", "r").await;
    drain(store).await;
    let tracked = |name: &str| {
        let mut event = AnalyticsEvent::new(name, "worker", now());
        event.data = Some(json!({ "total": 1.5 }));
        TurnChange::Track(Box::new(event))
    };
    let retry = async |name| {
        let changes = vec![tracked(name)];
        store.retry_turn(&scope(), &claim.key, changes, now()).await
    };
    retry("failed.attempt").await.unwrap();
    // The answer was lost and the process tries again.
    assert!(retry("failed.attempt").await.is_err());
    let next = ClaimOptions {
        retries: 1,
        ..start("r")
    };
    let claimed = store.claim_turn(&scope(), "t", &next).await.unwrap();
    let second = claimed.unwrap().key;
    let finish = async |turn: &TurnKey| {
        let changes = vec![
            tracked("order.placed"),
            written("t", "a", Some("r")),
            run_change("t", "r", RunStatus::Succeeded),
        ];
        store.finish_turn(&scope(), turn, changes, None).await
    };
    assert!(finish(&claim.key).await.is_err());
    finish(&second).await.unwrap();
    assert!(finish(&second).await.is_err());
    let all = drain(store).await;
    let names: Vec<_> = all.iter().map(|event| &event["event"]).collect();
    let expected = [
        "failed.attempt",
        "order.placed",
        "message.s2c",
        "run.finished",
    ];
    assert_eq!(names, expected);
    assert_eq!(all[1]["data"], json!({ "total": 1.5 }));
}

async fn deleted_thread_leaves_its_events(store: &AnyStore) {
    keep(store);
    begin_thread(store, "t", "r").await;
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_eq!(
        drained_names(store).await,
        ["thread.created", "message.c2s"]
    );
}

async fn new_batches_are_due_and_limited(store: &AnyStore) {
    keep(store);
    batch_is_due_by_count_or_age(store).await;
    clear(store).await;
    batch_has_events_of_one_worker(store).await;
    clear(store).await;
    batch_ends_at_its_size_in_bytes(store).await;
}

async fn batch_is_due_by_count_or_age(store: &AnyStore) {
    let young = BatchClaim {
        events: 3,
        age: HOUR,
        ..claim("n", "b")
    };
    assert_eq!(store.claim_batch(&young).await.unwrap(), None);
    track(store, "w", numbered(0..2)).await;
    assert_eq!(store.claim_batch(&young).await.unwrap(), None);
    track(store, "w", numbered(2..4)).await;
    let batch = store.claim_batch(&young).await.unwrap().unwrap();
    assert_eq!(names(&batch), ["event-0", "event-1", "event-2"]);
    assert_eq!(
        (&*batch.id, &*batch.worker_id, batch.attempt),
        ("b", "w", 1)
    );
    store.remove_batch("b").await.unwrap();
    assert_eq!(store.claim_batch(&young).await.unwrap(), None);
    let old = store.claim_batch(&claim("n", "c")).await.unwrap().unwrap();
    assert_eq!(names(&old), ["event-3"]);
}

async fn batch_has_events_of_one_worker(store: &AnyStore) {
    track(store, "v", numbered(0..1)).await;
    track(store, "w", numbered(1..2)).await;
    track(store, "v", numbered(2..3)).await;
    let first = store.claim_batch(&claim("n", "b")).await.unwrap().unwrap();
    assert_eq!((names(&first).len(), &*first.worker_id), (2, "v"));
    store.remove_batch("b").await.unwrap();
    let second = store.claim_batch(&claim("n", "c")).await.unwrap().unwrap();
    assert_eq!((names(&second).len(), &*second.worker_id), (1, "w"));
}

async fn batch_ends_at_its_size_in_bytes(store: &AnyStore) {
    track(store, "w", numbered(0..3)).await;
    let size = store
        .claim_batch(&claim("n", "b"))
        .await
        .unwrap()
        .unwrap()
        .events[0]
        .len();
    store.remove_batch("b").await.unwrap();
    for (bytes, fits) in [(1, 1), (2 * size - 1, 1), (2 * size, 2)] {
        track(store, "w", numbered(0..3)).await;
        let claim = BatchClaim {
            bytes,
            ..claim("n", "b")
        };
        let batch = store.claim_batch(&claim).await.unwrap().unwrap();
        assert_eq!(batch.events.len(), fits, "{bytes} bytes of {size}");
        store.remove_batch("b").await.unwrap();
        drain(store).await;
    }
}

async fn old_batches_are_held_and_retried(store: &AnyStore) {
    keep(store);
    retried_batch_keeps_its_id_and_events(store).await;
    clear(store).await;
    waiting_batch_delays_new_batches(store).await;
    clear(store).await;
    held_batch_is_not_claimed_by_others(store).await;
    clear(store).await;
    lost_claim_returns_the_same_batch(store).await;
    clear(store).await;
    batch_of_a_lost_lease_is_not_returned_by_its_loser(store).await;
    clear(store).await;
    removed_batch_is_not_sent_again(store).await;
}

async fn retried_batch_keeps_its_id_and_events(store: &AnyStore) {
    track(store, "w", numbered(0..2)).await;
    let first = store.claim_batch(&claim("n", "b")).await.unwrap().unwrap();
    track(store, "w", numbered(2..3)).await;
    store.retry_batch("n", "b", Duration::ZERO).await.unwrap();
    let second = store.claim_batch(&claim("m", "c")).await.unwrap().unwrap();
    assert_eq!((&second.id, &second.events), (&first.id, &first.events));
    assert_eq!((first.attempt, second.attempt), (1, 2));
}

async fn waiting_batch_delays_new_batches(store: &AnyStore) {
    track(store, "w", numbered(0..1)).await;
    store.claim_batch(&claim("n", "b")).await.unwrap().unwrap();
    track(store, "w", numbered(1..2)).await;
    store.retry_batch("n", "b", HOUR).await.unwrap();
    assert_eq!(store.claim_batch(&claim("n", "c")).await.unwrap(), None);
    assert_eq!(store.claim_batch(&claim("m", "c")).await.unwrap(), None);
}

async fn held_batch_is_not_claimed_by_others(store: &AnyStore) {
    track(store, "w", numbered(0..1)).await;
    store.claim_batch(&claim("n", "b")).await.unwrap().unwrap();
    assert_eq!(store.claim_batch(&claim("m", "c")).await.unwrap(), None);
    track(store, "w", numbered(1..2)).await;
    let other = store.claim_batch(&claim("m", "c")).await.unwrap().unwrap();
    assert_eq!((&*other.id, &*names(&other)[0]), ("c", "event-1"));
}

async fn lost_claim_returns_the_same_batch(store: &AnyStore) {
    track(store, "w", numbered(0..2)).await;
    let lost = store.claim_batch(&claim("n", "b")).await.unwrap().unwrap();
    let found = store.claim_batch(&claim("n", "c")).await.unwrap().unwrap();
    assert_eq!((lost.id, lost.events), (found.id, found.events));
}

async fn batch_of_a_lost_lease_is_not_returned_by_its_loser(store: &AnyStore) {
    track(store, "w", numbered(0..1)).await;
    let short = BatchClaim {
        lease: Duration::ZERO,
        ..claim("n", "b")
    };
    store.claim_batch(&short).await.unwrap().unwrap();
    let taken = store.claim_batch(&claim("m", "c")).await.unwrap().unwrap();
    assert_eq!((&*taken.id, taken.attempt), ("b", 2));
    store.retry_batch("n", "b", Duration::ZERO).await.unwrap();
    assert_eq!(store.claim_batch(&claim("o", "d")).await.unwrap(), None);
}

async fn removed_batch_is_not_sent_again(store: &AnyStore) {
    track(store, "w", numbered(0..2)).await;
    store.claim_batch(&claim("n", "b")).await.unwrap().unwrap();
    track(store, "w", numbered(2..3)).await;
    store.remove_batch("b").await.unwrap();
    store.remove_batch("b").await.unwrap();
    store.retry_batch("n", "b", Duration::ZERO).await.unwrap();
    assert_eq!(drained_names(store).await, ["event-2"]);
}

async fn trim_drops_the_oldest_events(store: &AnyStore) {
    keep(store);
    track(store, "w", numbered(0..5)).await;
    assert_eq!(store.trim_outbox(5).await.unwrap(), 0);
    assert_eq!(store.trim_outbox(2).await.unwrap(), 3);
    assert_eq!(drained_names(store).await, ["event-3", "event-4"]);
    assert_eq!(store.trim_outbox(0).await.unwrap(), 0);
    trim_drops_whole_batches_unless_they_are_held(store).await;
}

async fn trim_drops_whole_batches_unless_they_are_held(store: &AnyStore) {
    track(store, "w", numbered(0..3)).await;
    store.claim_batch(&claim("n", "b")).await.unwrap().unwrap();
    track(store, "w", numbered(3..5)).await;
    assert_eq!(store.trim_outbox(4).await.unwrap(), 0);
    store.retry_batch("n", "b", HOUR).await.unwrap();
    assert_eq!(store.trim_outbox(4).await.unwrap(), 3);
    // The dropped batch does not delay the others.
    assert_eq!(drained_names(store).await, ["event-3", "event-4"]);
}

async fn concurrent_claims_share_no_event(store: &AnyStore) {
    keep(store);
    track(store, "w", numbered(0..40)).await;
    let claims = (0..8).map(|node| {
        let claim = BatchClaim {
            events: 5,
            ..claim(&format!("n{node}"), &format!("b{node}"))
        };
        async move { store.claim_batch(&claim).await.unwrap() }
    });
    let batches: Vec<_> = join_all(claims).await.into_iter().flatten().collect();
    let mut all: Vec<_> = batches.iter().flat_map(names).collect();
    let count = all.len();
    all.extend(drained_names(store).await);
    let different: HashSet<_> = all.iter().collect();
    assert!(count >= 5, "at least one process gets a batch");
    assert_eq!((all.len(), different.len()), (40, 40));
}
