//! Changes of a turn other than events: runs and the thread row.

use crate::asserts::{
    catch_up_fully, kinds, newest, revs, run_named, runs_of, start_position, threads_of,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    begin_thread, existing, finish, now, run, run_change, say, scope, start, write, written,
};
use dooers::protocol::{Run, RunStatus};
use dooers::store::{ThreadPatch, TurnChange};
use dooers_tests::with;
use serde_json::{Value, json};
use std::slice::from_ref;

cases![
    ended_run_keeps_its_start_time,
    run_keeps_its_row_through_many_changes,
    run_has_the_agent_named_last,
    runs_of_several_turns_are_kept_separately,
    patch_changes_only_named_fields,
    touch_sets_the_time_of_the_last_event,
    changes_are_numbered_in_the_given_order,
    thread_row_is_read_at_its_last_revision_only,
];

async fn ended_run_keeps_its_start_time(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let started_at = claim.run.unwrap().started_at;
    let ended = run("t", "r", RunStatus::Succeeded);
    assert_ne!(ended.started_at, started_at, "the change says otherwise");
    let ended_at = ended.ended_at;
    let changes = write(store, &claim.key, vec![TurnChange::Run(ended)]).await;
    assert_eq!((kinds(&changes), revs(&changes)), (vec!["run"], vec![4]));
    let published = runs_of(&changes).remove(0);
    assert_eq!(
        (published.started_at, published.ended_at),
        (started_at, ended_at)
    );
    assert_eq!(run_named(store, &scope(), "t", "r").await, published);
}

async fn run_has_the_agent_named_last(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    for agent in [Some("other"), None] {
        let changed = with!(Run {
            agent_id: agent.map(str::to_owned),
            ..run("t", "r", RunStatus::Running)
        });
        write(store, &claim.key, vec![TurnChange::Run(changed)]).await;
        let stored = run_named(store, &scope(), "t", "r").await;
        assert_eq!(stored.agent_id.as_deref(), agent);
    }
}

async fn run_keeps_its_row_through_many_changes(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    for status in [
        RunStatus::Failed,
        RunStatus::Canceled,
        RunStatus::Running,
        RunStatus::Failed,
    ] {
        let change = run("t", "r", status);
        let expected = with!(Run {
            started_at: claim.run.as_ref().unwrap().started_at,
            event_id: Some(claim.key.event_id.clone()),
            ..change.clone()
        });
        let changes = vec![TurnChange::Run(change)];
        let published = runs_of(&write(store, &claim.key, changes).await);
        assert_eq!(published, from_ref(&expected));
        assert_eq!(run_named(store, &scope(), "t", "r").await, expected);
    }
    let all = catch_up_fully(store, &scope(), "t", start_position(), 10)
        .await
        .0;
    assert_eq!(runs_of(&all).len(), 1);
}

async fn runs_of_several_turns_are_kept_separately(store: &AnyStore) {
    let first = begin_thread(store, "t", "r1").await;
    say(store, existing("t"), "e2", "waits").await;
    let changes = vec![
        run_change("t", "extra", RunStatus::Running),
        run_change("t", "r1", RunStatus::Succeeded),
    ];
    let done = store
        .finish_turn(&scope(), &first.key, changes, Some(&start("r2")))
        .await
        .unwrap();
    let second = done.next.unwrap();
    write(
        store,
        &second.key,
        vec![run_change("t", "r2", RunStatus::Failed)],
    )
    .await;
    for (id, status) in [
        ("r1", RunStatus::Succeeded),
        ("extra", RunStatus::Running),
        ("r2", RunStatus::Failed),
    ] {
        assert_eq!(
            run_named(store, &scope(), "t", id).await.status,
            status,
            "{id}"
        );
    }
    // The same run id in another thread does not change the run here.
    begin_thread(store, "other", "r3").await;
    assert_eq!(
        run_named(store, &scope(), "t", "r2").await.status,
        RunStatus::Failed
    );
}

async fn patch_changes_only_named_fields(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let metadata = || json!({"a": {"b": [1, 2]}});
    type Row = (Option<&'static str>, Option<Value>);
    let steps: [(ThreadPatch, Row); 5] = [
        (ThreadPatch::default().title("One"), (Some("One"), None)),
        (
            ThreadPatch::default().metadata(metadata()),
            (Some("One"), Some(metadata())),
        ),
        (ThreadPatch::default(), (Some("One"), Some(metadata()))),
        (
            ThreadPatch::default().title(""),
            (Some(""), Some(metadata())),
        ),
        (
            ThreadPatch::default()
                .title("Two")
                .metadata(json!({"c": 1})),
            (Some("Two"), Some(json!({"c": 1}))),
        ),
    ];
    for (number, (patch, (title, metadata))) in steps.into_iter().enumerate() {
        let before = store.thread(&scope(), "t").await.unwrap().thread;
        let at = now();
        let changes = write(store, &claim.key, vec![TurnChange::Patch { patch, at }]).await;
        assert_eq!(kinds(&changes), ["thread"]);
        assert_eq!(revs(&changes), [4 + number as u64]);
        let record = store.thread(&scope(), "t").await.unwrap();
        assert_eq!(threads_of(&changes), from_ref(&record.thread));
        let thread = record.thread;
        assert_eq!(
            (thread.title.as_deref(), &thread.metadata),
            (title, &metadata)
        );
        assert_eq!(thread.updated_at, at);
        assert_eq!(
            (
                thread.created_at,
                thread.last_event_at,
                thread.users,
                thread.owner
            ),
            (
                before.created_at,
                before.last_event_at,
                before.users,
                before.owner
            )
        );
    }
}

async fn touch_sets_the_time_of_the_last_event(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let patch = ThreadPatch::default().title("A title").metadata(json!([1]));
    write(
        store,
        &claim.key,
        vec![TurnChange::Patch { patch, at: now() }],
    )
    .await;
    let before = store.thread(&scope(), "t").await.unwrap().thread;
    let at = now();
    let changes = write(store, &claim.key, vec![TurnChange::Touch(at)]).await;
    assert_eq!((kinds(&changes), revs(&changes)), (vec!["thread"], vec![5]));
    let after = store.thread(&scope(), "t").await.unwrap().thread;
    assert_eq!(threads_of(&changes), from_ref(&after));
    assert_eq!(after.last_event_at, at);
    assert_eq!(
        (after.title, after.metadata),
        (before.title, before.metadata)
    );
    assert_eq!(after.created_at, before.created_at);
}

async fn changes_are_numbered_in_the_given_order(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let patch = ThreadPatch::default().title("A title");
    let changes = vec![
        run_change("t", "extra", RunStatus::Running),
        written("t", "a", Some("extra")),
        TurnChange::Patch { patch, at: now() },
        written("t", "b", Some("extra")),
        run_change("t", "extra", RunStatus::Succeeded),
        TurnChange::Touch(now()),
    ];
    let done = write(store, &claim.key, changes).await;
    assert_eq!(
        kinds(&done),
        ["run", "event", "thread", "event", "run", "thread"]
    );
    assert_eq!(revs(&done), [4, 5, 6, 7, 8, 9]);
    assert_eq!(store.thread(&scope(), "t").await.unwrap().rev, 9);
}

async fn thread_row_is_read_at_its_last_revision_only(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let position = newest(store, &scope(), "t").await.position;
    for title in ["One", "Two", "Three"] {
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
        vec![run_change("t", "r", RunStatus::Failed)],
    )
    .await;
    finish(store, &claim.key, "none").await;
    let (changes, position) = catch_up_fully(store, &scope(), "t", position, 10).await;
    assert_eq!(
        (kinds(&changes), revs(&changes)),
        (vec!["thread", "run"], vec![6, 7])
    );
    assert_eq!(threads_of(&changes)[0].title.as_deref(), Some("Three"));
    assert_eq!(position.rev, 7);
}
