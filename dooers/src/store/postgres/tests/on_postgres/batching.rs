//! Tests that concurrent operations share a statement.

use super::{open, place, session};
use crate::protocol::ContentPart;
use crate::store::postgres::connect::statement::query;
use crate::store::sql::Columns;
use crate::store::tests::{at, first_message, next_message, said, scope, start};
use crate::store::{
    MemoryStore, PostgresOptions, Snapshot, SnapshotFrom, Store, ThreadPatch, TurnChange, TurnKey,
};
use futures::future::join_all;
use std::sync::Arc;

const THREADS: usize = 20;

/// Runs turns in many threads, step by step in all of them, each with its own texts. Calls `written` after each step.
async fn converse(store: &dyn Store, written: &mut impl AsyncFnMut()) -> Vec<Snapshot> {
    let here = scope();
    let name = |kind: &str, thread: usize| format!("{kind}{thread}");
    // The first messages make the scope known.
    let first = first_message("first", "first");
    let begun = store.begin_turn(&here, first, &start("first")).await;
    begun.unwrap();
    written().await;
    let mut keys: Vec<TurnKey> = Vec::new();
    for turn in ["a", "b"] {
        let begun = join_all((0..THREADS).map(async |thread| {
            let (id, event_id) = (name("t", thread), name(turn, thread));
            let mut new = match turn {
                "a" => first_message(&id, &event_id),
                _ => next_message(&id, &event_id),
            };
            new.content = vec![ContentPart::text(name("question ", thread))];
            new.data = (thread % 2 == 0).then(|| thread.into());
            let run = start(&name(&format!("run-{turn}-"), thread));
            store.begin_turn(&here, new, &run).await.unwrap()
        }));
        keys.clear();
        keys.extend(
            begun
                .await
                .into_iter()
                .map(|begun| begun.claim.unwrap().key),
        );
        written().await;
        let patched = join_all(keys.iter().enumerate().map(async |(thread, key)| {
            let patch = ThreadPatch::default()
                .title(name("title ", thread))
                .metadata(thread);
            let said = said(
                &key.thread_id,
                &name("x", thread * 10 + turn.len()),
                "so far",
            );
            let changes = match turn {
                "a" => vec![said, TurnChange::Patch { patch, at: at(3) }],
                _ => vec![TurnChange::Patch { patch, at: at(4) }],
            };
            store.write_turn(&here, key, changes).await.unwrap()
        }));
        patched.await;
        written().await;
        let ended = join_all(keys.iter().enumerate().map(async |(thread, key)| {
            let answer = said(
                &key.thread_id,
                &name(&format!("answer-{turn}-"), thread),
                &name("answer ", thread),
            );
            store
                .finish_turn(&here, key, vec![answer], None)
                .await
                .unwrap()
        }));
        ended.await;
        written().await;
    }
    let all = join_all((0..THREADS).map(async |thread| {
        let id = name("t", thread);
        let newest = SnapshotFrom::Newest;
        store
            .snapshot(&here, &id, &newest, usize::MAX)
            .await
            .unwrap()
    }));
    all.await
}

async fn statements(options: &PostgresOptions) -> i64 {
    let prefix = &options.table_prefix;
    let sum: Arc<str> = format!("SELECT sum(statements)::bigint FROM {prefix}writers").into();
    let mut connection = session(options).await;
    let row = query(&sum).fetch_one(&mut connection).await.unwrap();
    row.number(0).unwrap()
}

#[tokio::test]
async fn concurrent_changes_of_threads_share_one_statement() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    let mut counts = Vec::new();
    let mut count = async || counts.push(statements(&options).await);
    let stored = converse(&store, &mut count).await;
    // Operations of a failed statement would be repeated one by one, in twenty statements.
    let steps: Vec<i64> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(steps, [1; 6]);
    let kept = converse(&MemoryStore::new(), &mut async || {}).await;
    for (stored, kept) in stored.iter().zip(&kept) {
        assert_eq!(format!("{stored:#?}"), format!("{kept:#?}"));
    }
}
