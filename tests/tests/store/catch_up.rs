//! Changes that a reader receives after its snapshot.

use crate::asserts::{
    Reader, assert_not_found, catch_up_fully, events_of, kinds, newest, revs, runs_of, seqs,
    start_position, threads_of,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    append, existing, finish, now, run_change, say, scope, start, thread_of, write,
};
use dooers::protocol::RunStatus;
use dooers::store::{SnapshotFrom, ThreadPatch, TurnChange};

cases![
    up_to_date_reader_receives_nothing,
    missed_changes_arrive_once_and_in_order,
    missed_changes_arrive_in_pages_of_the_limit,
    changes_between_two_pages_are_not_lost,
    reader_at_the_end_receives_new_changes,
    changes_arrive_in_revision_order,
    runs_and_thread_row_arrive_in_their_latest_state,
    page_excludes_changes_after_its_end,
    run_that_ended_while_away_is_sent,
    runs_of_events_after_the_snapshot_are_sent,
    catch_up_of_a_missing_thread_is_not_found;
    not_pooled: resume_from_any_event_matches_a_fresh_reader,
    reader_that_leaves_at_any_time_misses_nothing,
];

async fn up_to_date_reader_receives_nothing(store: &AnyStore) {
    thread_of(store, "t", 150).await;
    for from in [
        SnapshotFrom::Newest,
        SnapshotFrom::Covering("t-3".to_owned()),
    ] {
        let snapshot = store
            .snapshot(&scope(), "t", &from, usize::MAX)
            .await
            .unwrap();
        let read = store
            .catch_up(&scope(), "t", &snapshot.position, 10.into())
            .await
            .unwrap();
        assert!(read.changes.is_empty() && read.is_complete);
        assert_eq!(read.position, snapshot.position);
    }
}

async fn missed_changes_arrive_once_and_in_order(store: &AnyStore) {
    thread_of(store, "t", 300).await;
    for missed in [0, 1, 99, 100, 101, 250, 299] {
        let known = 300 - missed;
        let from = SnapshotFrom::After(format!("t-{known}"));
        let snapshot = store
            .snapshot(&scope(), "t", &from, usize::MAX)
            .await
            .unwrap();
        let mut got = seqs(&snapshot.events);
        let (changes, position) = catch_up_fully(store, &scope(), "t", snapshot.position, 40).await;
        got.extend(seqs(&events_of(&changes)));
        assert_eq!(
            got,
            (known + 1..=300).collect::<Vec<_>>(),
            "{missed} missed"
        );
        let read = store
            .catch_up(&scope(), "t", &position, 40.into())
            .await
            .unwrap();
        assert!(
            read.changes.is_empty() && read.is_complete,
            "{:?}",
            read.changes
        );
    }
}

async fn missed_changes_arrive_in_pages_of_the_limit(store: &AnyStore) {
    thread_of(store, "t", 25).await;
    for (limit, expected) in [(1, 25), (10, 3), (24, 2), (25, 1), (26, 1)] {
        let mut position = start_position();
        let mut pages = 0;
        loop {
            let page = store
                .catch_up(&scope(), "t", &position, limit.into())
                .await
                .unwrap();
            pages += 1;
            assert!(events_of(&page.changes).len() <= limit);
            position = page.position;
            if page.is_complete {
                break;
            }
        }
        assert_eq!((pages, position.last_seq), (expected, 25), "{limit} a page");
    }
}

async fn changes_between_two_pages_are_not_lost(store: &AnyStore) {
    let claim = thread_of(store, "t", 20).await;
    let mut position = start_position();
    let mut got = Vec::new();
    let mut last_run = None;
    let mut written = 20;
    loop {
        let page = store
            .catch_up(&scope(), "t", &position, 7.into())
            .await
            .unwrap();
        got.extend(seqs(&events_of(&page.changes)));
        last_run = runs_of(&page.changes).pop().or(last_run);
        position = page.position;
        if page.is_complete {
            break;
        }
        if written < 26 {
            append(store, &claim.key, [written + 1, written + 2], None).await;
            write(
                store,
                &claim.key,
                vec![run_change("t", "t-run", RunStatus::Failed)],
            )
            .await;
            written += 2;
        }
    }
    assert_eq!(got, (1..=26).collect::<Vec<_>>());
    assert_eq!(last_run.unwrap().status, RunStatus::Failed);
    assert_eq!(position, Reader::fresh(store, &scope(), "t").await.position);
}

async fn reader_at_the_end_receives_new_changes(store: &AnyStore) {
    let claim = thread_of(store, "t", 120).await;
    let position = newest(store, &scope(), "t").await.position;
    append(store, &claim.key, 121..=123, None).await;
    let begun = say(store, existing("t"), "waiting", "none").await;
    let (changes, _) = catch_up_fully(store, &scope(), "t", position, 2).await;
    assert_eq!(kinds(&changes), ["event"; 4]);
    assert_eq!(seqs(&events_of(&changes)), [121, 122, 123, 124]);
    assert_eq!(changes.last(), begun.changes.last());
}

async fn changes_arrive_in_revision_order(store: &AnyStore) {
    let claim = thread_of(store, "t", 1).await;
    let position = newest(store, &scope(), "t").await.position;
    let mut expected = Vec::new();
    for number in 2..6 {
        append(store, &claim.key, [number], None).await;
        let run = run_change("t", &format!("run-{number}"), RunStatus::Running);
        write(store, &claim.key, vec![run]).await;
        expected.extend(["event", "run"]);
    }
    write(store, &claim.key, vec![TurnChange::Touch(now())]).await;
    expected.push("thread");
    let (changes, _) = catch_up_fully(store, &scope(), "t", position.clone(), 100).await;
    assert_eq!(kinds(&changes), expected);
    let all: Vec<u64> = (position.rev + 1..=position.rev + 9).collect();
    assert_eq!(revs(&changes), all);
    assert!(changes.iter().all(|change| change.thread_id == "t"));
}

async fn runs_and_thread_row_arrive_in_their_latest_state(store: &AnyStore) {
    let claim = thread_of(store, "t", 3).await;
    let from = SnapshotFrom::After("t-3".to_owned());
    let known = store
        .snapshot(&scope(), "t", &from, usize::MAX)
        .await
        .unwrap();
    let (_, position) = catch_up_fully(store, &scope(), "t", known.position, 10).await;
    for title in ["One", "Two"] {
        let patch = ThreadPatch::default().title(title);
        write(
            store,
            &claim.key,
            vec![TurnChange::Patch { patch, at: now() }],
        )
        .await;
    }
    write(
        store,
        &claim.key,
        vec![run_change("t", "t-run", RunStatus::Canceled)],
    )
    .await;
    append(store, &claim.key, [4], None).await;
    let (changes, _) = catch_up_fully(store, &scope(), "t", position, 10).await;
    assert_eq!(kinds(&changes), ["thread", "run", "event"]);
    assert_eq!(threads_of(&changes)[0].title.as_deref(), Some("Two"));
    assert_eq!(runs_of(&changes)[0].status, RunStatus::Canceled);
}

/// Otherwise a client that keeps its state would show the run as running forever.
async fn page_excludes_changes_after_its_end(store: &AnyStore) {
    let claim = thread_of(store, "t", 1).await;
    for last in [4, 7, 10] {
        append(store, &claim.key, [last - 2, last - 1, last], None).await;
        let ended = run_change("t", &format!("run-{last}"), RunStatus::Succeeded);
        write(store, &claim.key, vec![ended, TurnChange::Touch(now())]).await;
    }
    let mut position = start_position();
    let mut published = Vec::new();
    loop {
        let page = store
            .catch_up(&scope(), "t", &position, 2.into())
            .await
            .unwrap();
        let mut last_rev = 0;
        for change in page.changes {
            assert!(change.rev > last_rev, "{change:?} comes after {last_rev}");
            last_rev = change.rev;
            published.push(change);
        }
        position = page.position;
        if page.is_complete {
            break;
        }
    }
    let revs = revs(&published);
    assert!(revs.is_sorted(), "{revs:?}");
    assert_eq!(seqs(&events_of(&published)), (1..=10).collect::<Vec<_>>());
    let ids: Vec<_> = runs_of(&published).into_iter().map(|run| run.id).collect();
    assert_eq!(ids[ids.len() - 3..], ["run-4", "run-7", "run-10"]);
}

async fn run_that_ended_while_away_is_sent(store: &AnyStore) {
    let claim = thread_of(store, "t", 3).await;
    let mut reader = Reader::fresh(store, &scope(), "t").await;
    assert_eq!(reader.runs["t-run"].status, RunStatus::Running);
    let changes = vec![run_change("t", "t-run", RunStatus::Succeeded)];
    store
        .finish_turn(&scope(), &claim.key, changes, Some(&start("none")))
        .await
        .unwrap();
    reader.reconnect(store, &scope(), 10).await;
    assert_eq!(reader.runs["t-run"].status, RunStatus::Succeeded);
}

async fn runs_of_events_after_the_snapshot_are_sent(store: &AnyStore) {
    let mut claim = thread_of(store, "t", 1).await;
    let mut reader = Reader::fresh(store, &scope(), "t").await;
    for number in 1..6 {
        let run_id = claim.run.expect("the turn has a run").id;
        append(
            store,
            &claim.key,
            number * 100..number * 100 + 50,
            Some(&run_id),
        )
        .await;
        let changes = vec![run_change("t", &run_id, RunStatus::Succeeded)];
        say(store, existing("t"), &format!("e{number}"), "waits").await;
        let next = start(&format!("r{number}"));
        let done = store
            .finish_turn(&scope(), &claim.key, changes, Some(&next))
            .await
            .unwrap();
        claim = done.next.expect("one turn is queued");
    }
    reader.reconnect(store, &scope(), 30).await;
    assert_eq!(reader.runs.len(), 6, "{:?}", reader.runs);
    reader.assert_up_to_date(store, &scope()).await;
}

async fn resume_from_any_event_matches_a_fresh_reader(store: &AnyStore) {
    let mut claim = thread_of(store, "t", 2).await;
    let mut readers = Vec::new();
    for number in 0..60 {
        readers.push(Reader::fresh(store, &scope(), "t").await);
        let run_id = claim.run.as_ref().map(|run| run.id.clone()).unwrap();
        let patch = ThreadPatch::default().title(format!("Title {number}"));
        append(store, &claim.key, [number + 3], Some(&run_id)).await;
        match number % 4 {
            0 => {
                write(
                    store,
                    &claim.key,
                    vec![TurnChange::Patch { patch, at: now() }],
                )
                .await;
            }
            1 => {
                let changes = vec![run_change("t", &run_id, RunStatus::Failed)];
                write(store, &claim.key, changes).await;
            }
            2 => {
                say(store, existing("t"), &format!("e{number}"), "waits").await;
                let next = format!("r{number}");
                claim = finish(store, &claim.key, &next)
                    .await
                    .expect("one turn is queued");
            }
            _ => {}
        }
    }
    for reader in readers {
        for limit in [1, 7, 100] {
            let mut came_back = reader.clone();
            came_back.reconnect(store, &scope(), limit).await;
            came_back.assert_up_to_date(store, &scope()).await;
            let mut went_on = reader.clone();
            went_on.advance(store, &scope(), limit).await;
            went_on.assert_up_to_date(store, &scope()).await;
        }
    }
}

/// A returning client names the last event that it has received, even if it has missed other changes.
async fn reader_that_leaves_at_any_time_misses_nothing(store: &AnyStore) {
    let mut claim = thread_of(store, "t", 2).await;
    let reader = Reader::fresh(store, &scope(), "t").await;
    for number in 0..40 {
        let run_id = claim.run.as_ref().map(|run| run.id.clone()).unwrap();
        let first = 10 * number + 3;
        append(store, &claim.key, first..first + number % 6, Some(&run_id)).await;
        let silent = format!("silent-{number}");
        let begin = run_change("t", &silent, RunStatus::Running);
        let end = run_change("t", &silent, RunStatus::Succeeded);
        write(store, &claim.key, vec![begin]).await;
        say(store, existing("t"), &format!("e{number}"), "waits").await;
        write(store, &claim.key, vec![end]).await;
        let ends = vec![run_change("t", &run_id, RunStatus::Succeeded)];
        let next = start(&format!("r{number}"));
        let done = store
            .finish_turn(&scope(), &claim.key, ends, Some(&next))
            .await;
        claim = done.unwrap().next.expect("one turn is queued");
    }
    for limit in [1, 3, 100] {
        for taken in 0.. {
            let mut restless = reader.clone();
            let is_whole = restless
                .advance_partially(store, &scope(), limit, taken)
                .await;
            restless.reconnect(store, &scope(), 100).await;
            restless.assert_up_to_date(store, &scope()).await;
            if is_whole {
                break;
            }
        }
    }
}

async fn catch_up_of_a_missing_thread_is_not_found(store: &AnyStore) {
    thread_of(store, "t", 3).await;
    let position = newest(store, &scope(), "t").await.position;
    assert_not_found(
        store
            .catch_up(&scope(), "nowhere", &position, 10.into())
            .await,
    );
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_not_found(store.catch_up(&scope(), "t", &position, 10.into()).await);
}
