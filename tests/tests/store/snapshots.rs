//! The first snapshot of a reader.

use crate::asserts::{assert_not_found, newest, seqs};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    append, begin_thread, existing, finish, now, run_change, say, scope, thread_of, withdraw, write,
};
use dooers::protocol::RunStatus;
use dooers::store::{SNAPSHOT_EVENTS, Snapshot, SnapshotFrom, ThreadPatch, TurnChange};

cases![
    snapshot_has_newest_events_and_has_more,
    snapshot_after_an_event_has_the_next_events,
    covering_snapshot_has_newest_and_all_missed_events,
    snapshot_after_a_missing_event_has_the_newest,
    snapshot_treats_a_foreign_event_as_missing,
    snapshot_has_shown_open_and_changed_runs,
    snapshot_has_the_runs_that_answer_its_messages,
    snapshot_has_the_current_thread_row,
    snapshot_of_a_missing_thread_is_not_found,
];

async fn snapshot(store: &AnyStore, from: SnapshotFrom) -> Snapshot {
    store
        .snapshot(&scope(), "t", &from, usize::MAX)
        .await
        .unwrap()
}

/// The `seq` of the first and the last event. Fails if one between them is missing.
fn span(snapshot: &Snapshot) -> (u64, u64) {
    let seqs = seqs(&snapshot.events);
    let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else {
        return (0, 0);
    };
    assert_eq!(seqs, (*first..=*last).collect::<Vec<_>>());
    (*first, *last)
}

async fn snapshot_has_newest_events_and_has_more(store: &AnyStore) {
    assert_eq!(SNAPSHOT_EVENTS, 100);
    let claim = thread_of(store, "t", 1).await;
    let mut total = 1;
    for (wanted, expected, has_more) in [
        (1, (1, 1), false),
        (99, (1, 99), false),
        (100, (1, 100), false),
        (101, (2, 101), true),
        (250, (151, 250), true),
    ] {
        append(store, &claim.key, total + 1..=wanted, None).await;
        total = wanted;
        let snapshot = newest(store, &scope(), "t").await;
        assert_eq!((span(&snapshot), snapshot.has_more), (expected, has_more));
        assert!(!snapshot.recovered && snapshot.is_complete);
        assert_eq!(snapshot.position.rev, snapshot.thread.rev);
        assert_eq!(snapshot.position.last_seq, wanted as u64);
    }
}

async fn snapshot_after_an_event_has_the_next_events(store: &AnyStore) {
    thread_of(store, "t", 300).await;
    for (known, expected) in [
        (300, (0, 0)),
        (299, (300, 300)),
        (200, (201, 300)),
        (199, (200, 299)),
        (50, (51, 150)),
        (1, (2, 101)),
    ] {
        let snapshot = snapshot(store, SnapshotFrom::After(format!("t-{known}"))).await;
        assert_eq!(span(&snapshot), expected, "after {known}");
        assert!(snapshot.recovered);
        assert!(snapshot.has_more, "the known one is older");
        assert_eq!(snapshot.position.last_seq, expected.1.max(known));
        // A snapshot without the newest events is incomplete.
        assert!(!snapshot.is_complete || expected.1 == 300 || known == 300);
    }
}

async fn covering_snapshot_has_newest_and_all_missed_events(store: &AnyStore) {
    thread_of(store, "t", 300).await;
    for (known, expected, has_more) in [
        (300, (201, 300), true),
        (299, (201, 300), true),
        (201, (201, 300), true),
        (200, (201, 300), true),
        (199, (200, 300), true),
        (50, (51, 300), true),
        (1, (2, 300), true),
    ] {
        let snapshot = snapshot(store, SnapshotFrom::Covering(format!("t-{known}"))).await;
        assert_eq!(span(&snapshot), expected, "covering {known}");
        assert!(snapshot.recovered && snapshot.is_complete);
        assert_eq!(snapshot.has_more, has_more);
    }
    thread_of(store, "small", 3).await;
    let from = SnapshotFrom::Covering("small-2".to_owned());
    let snapshot = store
        .snapshot(&scope(), "small", &from, usize::MAX)
        .await
        .unwrap();
    assert_eq!((span(&snapshot), snapshot.has_more), ((1, 3), false));
}

async fn snapshot_after_a_missing_event_has_the_newest(store: &AnyStore) {
    thread_of(store, "t", 250).await;
    for from in [
        SnapshotFrom::After("nothing".to_owned()),
        SnapshotFrom::Covering("nothing".to_owned()),
        SnapshotFrom::After(String::new()),
        SnapshotFrom::After("t".to_owned()),
    ] {
        let snapshot = snapshot(store, from).await;
        assert_eq!(span(&snapshot), (151, 250));
        assert!(!snapshot.recovered && snapshot.has_more && snapshot.is_complete);
        assert_eq!(
            snapshot.position,
            newest(store, &scope(), "t").await.position
        );
    }
}

async fn snapshot_treats_a_foreign_event_as_missing(store: &AnyStore) {
    thread_of(store, "t", 150).await;
    thread_of(store, "other", 150).await;
    for from in [SnapshotFrom::After, SnapshotFrom::Covering] {
        let snapshot = snapshot(store, from("other-3".to_owned())).await;
        assert_eq!((span(&snapshot), snapshot.recovered), ((51, 150), false));
    }
}

fn run_ids(snapshot: &Snapshot) -> Vec<&str> {
    let mut ids: Vec<_> = snapshot.runs.iter().map(|run| run.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

async fn snapshot_has_shown_open_and_changed_runs(store: &AnyStore) {
    let claim = begin_thread(store, "t", "early").await;
    let end = |id: &str| run_change("t", id, RunStatus::Succeeded);
    let begin = |id: &str| run_change("t", id, RunStatus::Running);
    append(store, &claim.key, [2], Some("early")).await;
    write(
        store,
        &claim.key,
        vec![end("early"), begin("silent"), end("silent"), begin("open")],
    )
    .await;
    // All of them answer the message, which is shown.
    assert_eq!(
        run_ids(&newest(store, &scope(), "t").await),
        ["early", "open", "silent"]
    );
    write(store, &claim.key, vec![begin("middle")]).await;
    append(store, &claim.key, 3..=60, Some("middle")).await;
    write(store, &claim.key, vec![end("middle"), begin("late")]).await;
    append(store, &claim.key, 61..=102, Some("late")).await;
    write(store, &claim.key, vec![end("late")]).await;
    assert_eq!(
        run_ids(&newest(store, &scope(), "t").await),
        ["late", "middle", "open"]
    );

    for (from, expected) in [
        (SnapshotFrom::After("t-60".to_owned()), "late middle open"),
        (SnapshotFrom::After("t-102".to_owned()), "late open"),
        (
            SnapshotFrom::After("t-question".to_owned()),
            "early late middle open silent",
        ),
        (
            SnapshotFrom::Covering("t-question".to_owned()),
            "early late middle open silent",
        ),
    ] {
        let shown = snapshot(store, from.clone()).await;
        assert_eq!(run_ids(&shown).join(" "), expected, "{from:?}");
    }
}

/// A message that was withdrawn has a run without events.
async fn snapshot_has_the_runs_that_answer_its_messages(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let ids = ["one", "two", "three"].map(|id| format!("t-{id}"));
    for id in &ids {
        say(store, existing("t"), id, "none").await;
    }
    let known = newest(store, &scope(), "t").await;
    for id in &ids[..2] {
        withdraw(store, id).await;
    }
    for from in [
        SnapshotFrom::Newest,
        SnapshotFrom::After("t-question".to_owned()),
        SnapshotFrom::Covering("t-three".to_owned()),
    ] {
        let shown = snapshot(store, from).await;
        let runs = shown.runs.iter().map(|run| (&*run.id, run.status));
        let withdrawn = |id| (id, RunStatus::Canceled);
        assert_eq!(
            runs.collect::<Vec<_>>(),
            [
                ("r", RunStatus::Running),
                withdrawn("t-one-run"),
                withdrawn("t-two-run")
            ]
        );
        assert!(shown.position.rev > known.position.rev);
    }
    append(store, &claim.key, 1..=98, None).await;
    assert_eq!(
        run_ids(&newest(store, &scope(), "t").await),
        ["r", "t-two-run"]
    );
}

async fn snapshot_has_the_current_thread_row(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let patch = ThreadPatch::default().title("A title");
    write(
        store,
        &claim.key,
        vec![TurnChange::Patch { patch, at: now() }],
    )
    .await;
    say(store, existing("t"), "e2", "waits").await;
    for from in [
        SnapshotFrom::Newest,
        SnapshotFrom::After("t-question".to_owned()),
        SnapshotFrom::Covering("t-question".to_owned()),
    ] {
        let snapshot = snapshot(store, from).await;
        assert_eq!(snapshot.thread, store.thread(&scope(), "t").await.unwrap());
        assert_eq!((snapshot.thread.rev, snapshot.position.rev), (5, 5));
    }
    finish(store, &claim.key, "r2").await;
    assert_eq!(newest(store, &scope(), "t").await.position.rev, 6);
}

async fn snapshot_of_a_missing_thread_is_not_found(store: &AnyStore) {
    thread_of(store, "t", 1).await;
    for from in [SnapshotFrom::Newest, SnapshotFrom::After("t-1".to_owned())] {
        assert_not_found(store.snapshot(&scope(), "nowhere", &from, usize::MAX).await);
    }
}
