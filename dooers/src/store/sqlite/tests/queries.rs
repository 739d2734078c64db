//! Tests of the statements, on a migrated database.

use super::*;
use crate::store::sqlite::migrate::{MIGRATIONS, migrate};
use crate::store::sqlite::statements::Statements;
use crate::store::{Change, ChangeBody, SnapshotFrom, TablePrefix};
use rusqlite::Connection;

fn migrated(prefix: &TablePrefix) -> (Connection, Statements) {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, prefix, MIGRATIONS, true).unwrap();
    (connection, Statements::new(prefix))
}

#[test]
fn every_statement_is_understood_with_every_prefix() {
    for prefix in ["worker_", "_", "a", &"z".repeat(TablePrefix::MAX_BYTES)] {
        let prefix = prefix.parse().unwrap();
        let (connection, sql) = migrated(&prefix);
        for (name, sql) in sql.all() {
            assert!(!sql.contains(['{', '}', '$']), "{name}: {sql}");
            if let Err(error) = connection.prepare(sql) {
                panic!("{name}: {error}\n{sql}");
            }
        }
    }
}

#[test]
fn no_statement_walks_through_a_table() {
    let (connection, sql) = migrated(&TablePrefix::default());
    for (name, sql) in sql.all() {
        let mut plan = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let places = plan.parameter_count();
        let steps: Vec<String> = plan
            .query_map(rusqlite::params_from_iter(vec![1; places]), |row| {
                row.get(3)
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        // These scan the turns of all threads when a process starts (only waiting and running turns exist), the index
        // of running turns when leases are renewed or have ended, and the sealed settings and answers when a process
        // starts.
        let exempt = [
            "threads_with_turns",
            "threads_with_lost_turns",
            "renew_leases",
            "held_turns",
            "setting_keys",
            "turn_keys",
            // At most one row.
            "clear_spare",
            // At most a few batches, and the events in them.
            "release_batches",
            "claim_batch",
            "waiting_batch",
            "excess_batches",
            "oldest_outbox",
            "nth_outbox",
            // As many events as may wait for the webhook.
            "newest_excess",
            // One process, and a few that died.
            "nodes",
            "remove_dead_nodes",
            "bury_nodes",
        ];
        let is_exempt = exempt.contains(&name);
        for step in &steps {
            // The list of a filter's values is not a table.
            let is_list = step == "SCAN CONSTANT ROW" || step.starts_with("SCAN json_each ");
            let is_walk = step.starts_with("SCAN ") && !is_list;
            assert!(!is_walk || is_exempt, "{name}: {steps:#?}");
            // Only the participants, the runs, the feedback and the streaming events of one thread are sorted.
            let is_sort = step.starts_with("USE TEMP B-TREE") && !step.contains("json_group_array");
            let sorting = [
                "threads_with_turns",
                "threads_with_lost_turns",
                "runs_shown",
                "changed_run_sizes",
                "open_runs",
                "open_events",
                "newest_runs_of_thread",
                "oldest_runs_of_thread",
                "newest_feedback_of_thread",
                "oldest_feedback_of_thread",
                // The matches of one page.
                "threads_with_ids",
                "sizes_of_threads",
                // Counts a whole period, by day.
                "feedback_days",
                // Sums up a whole period, by group.
                "usage_sums",
            ];
            let may_sort = sorting.contains(&name);
            assert!(!is_sort || may_sort, "{name}: {steps:#?}");
        }
    }
}

/// The cost of a reader's page and of the writer's turn does not depend on the size of the store.
#[tokio::test]
async fn page_and_turn_cost_the_same_in_a_large_store() {
    let (connection, sql) = migrated(&TablePrefix::default());
    connection
        .execute_batch(
            "INSERT INTO worker_workspaces VALUES (1, 'w', 'o', 's');
            INSERT INTO worker_scopes VALUES (1, 1, 'echo', 0);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO worker_threads
                SELECT i, 't' || i, 1, '{}', '[]', NULL, NULL, i, i, i % 100, 1, 1, 0 FROM n;
            INSERT INTO worker_participants
                SELECT pk, 0, 'user:ann', 1, last_event_at, id FROM worker_threads;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO worker_events (id, thread_pk, seq, first_rev, rev, run_id, kind, actor, created_at)
                SELECT 'e' || i, 1, i, i, i, 'r' || i, 'message', 'user', i FROM n;
            INSERT INTO worker_feedback (thread_pk, participant, target_type, target_id, id, scope_pk, user_id,
                opinion, created_at, updated_at)
                SELECT 1, 'user:ann', 'event', id, 'f' || seq, 1, 'ann', 'like', seq, seq % 100 FROM worker_events;
            INSERT INTO worker_runs (thread_pk, scope_pk, id, event_id, first_rev, rev, status, started_at)
                SELECT 1, 1, 'r' || seq, id, rev, rev, 'succeeded', seq % 100 FROM worker_events;",
        )
        .unwrap();
    let steps_of = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map(parameters, |_| Ok(())).unwrap().count();
        (
            rows,
            statement.get_status(rusqlite::StatementStatus::VmStep),
        )
    };
    let newest = i64::MAX;
    let null = rusqlite::types::Null;
    let (actors, kinds) = (r#"["assistant", "user"]"#, r#"["message"]"#);
    let (runs, succeeded) = (r#"["r9999", "r10000"]"#, r#"["succeeded"]"#);
    let costs = [
        steps_of(&sql.reads.threads, rusqlite::params![1, newest, "", 31, 0]),
        steps_of(&sql.reads.threads, rusqlite::params![1, 50, "t5050", 31, 0]),
        steps_of(
            &sql.reads.oldest_threads,
            rusqlite::params![1, 50, "t5050", 31, newest],
        ),
        steps_of(
            &sql.reads.threads_of_participant,
            rusqlite::params![1, newest, "", 31, 0, "user:ann", "user:ann"],
        ),
        steps_of(
            &sql.reads.threads_of_participant,
            rusqlite::params![1, 50, "t5050", 31, 0, "user:ann", "user:ann"],
        ),
        steps_of(
            &sql.reads.oldest_threads_of_participant,
            rusqlite::params![1, 50, "t5050", 31, newest, "user:ann", "user:ann"],
        ),
        steps_of(
            &sql.reads.thread_sizes,
            rusqlite::params![1, 50, "t5050", 31, 0],
        ),
        steps_of(
            &sql.reads.thread_sizes_of_participant,
            rusqlite::params![1, 50, "t5050", 31, 0, "user:ann", "user:ann"],
        ),
        steps_of(&sql.reads.titles, rusqlite::params![1, 50, "t5050", 31, 0]),
        steps_of(
            &sql.reads.titles_of_participant,
            rusqlite::params![1, 50, "t5050", 31, 0, "user:ann", "user:ann"],
        ),
        steps_of(
            &sql.reads.threads_with_ids,
            rusqlite::params![r#"["t50", "t5050", "t9999"]"#],
        ),
        steps_of(
            &sql.reads.sizes_of_threads,
            rusqlite::params![r#"["t50", "t5050", "t9999"]"#],
        ),
        steps_of(
            &sql.reads.newest_runs,
            rusqlite::params![1, 50, "r50", 31, 0, null, null, null],
        ),
        steps_of(
            &sql.reads.oldest_runs,
            rusqlite::params![1, 50, "r50", 31, newest, succeeded, null, "user:ann"],
        ),
        steps_of(
            &sql.reads.newest_feedback,
            rusqlite::params![1, 50, "f50", 31, 0, null, null, null, null],
        ),
        steps_of(
            &sql.reads.oldest_feedback,
            rusqlite::params![1, 50, "f50", 31, newest, "event", "like", "ann", "user:ann"],
        ),
        steps_of(
            &sql.reads.feedback_shown,
            rusqlite::params![1, 10_000, 10_030, "user:ann"],
        ),
        steps_of(
            &sql.reads.thread_for,
            rusqlite::params!["w", "o", "s", "echo", "t1", "user:ann", "user:ann"],
        ),
        steps_of(
            &sql.writes.feedback_of,
            rusqlite::params![1, "user:ann", "event", "e10000"],
        ),
        steps_of(&sql.reads.run, rusqlite::params![1, "r10000"]),
        steps_of(
            &sql.reads.events_between,
            rusqlite::params![1, 10_000, 10_030],
        ),
        steps_of(
            &sql.reads.newest_found,
            rusqlite::params![1, 0, newest, null, null, null, null, 30, false],
        ),
        steps_of(
            &sql.reads.oldest_found,
            rusqlite::params![1, 15_000, newest, actors, kinds, null, null, 30, false],
        ),
        steps_of(
            &sql.reads.newest_found,
            rusqlite::params![1, 9_998, 10_001, null, null, null, runs, 30, false],
        ),
        steps_of(
            &sql.reads.page_sizes,
            rusqlite::params![1, 9_970, 10_000, 30],
        ),
        steps_of(&sql.reads.page, rusqlite::params![1, 9_970, 10_000]),
        steps_of(
            &sql.reads.runs_shown,
            rusqlite::params![1, 19_900, 20_000, 19_900, newest],
        ),
        steps_of(
            &sql.reads.runs_changed,
            rusqlite::params![1, 19_970, newest],
        ),
        steps_of(
            &sql.reads.changed_run_sizes,
            rusqlite::params![1, 19_970, newest, 100],
        ),
        steps_of(&sql.reads.newest_sizes, rusqlite::params![1, 0, 20_000, 30]),
        steps_of(
            &sql.reads.oldest_sizes,
            rusqlite::params![1, 10_000, 20_000, 30],
        ),
        steps_of(&sql.reads.first_edited, rusqlite::params![1, 1, 20_000, 0]),
        steps_of(
            &sql.reads.events_edited,
            rusqlite::params![1, 1, 20_000, 19_970, newest],
        ),
        steps_of(
            &sql.reads.edited_sizes,
            rusqlite::params![1, 1, 20_000, 19_970, newest, 30],
        ),
        steps_of(&sql.reads.event, rusqlite::params![1, "e10000"]),
        steps_of(&sql.writes.answer, rusqlite::params![1, "e10000"]),
        // The statements of the writer in each turn.
        steps_of(&sql.writes.open_events, rusqlite::params![1, "e10000"]),
        steps_of(&sql.writes.open_runs, rusqlite::params![1, "e10000"]),
        steps_of(&sql.writes.event_at, rusqlite::params![1, 10_000]),
        steps_of(
            &sql.writes.write_text,
            rusqlite::params![1, "e9999", "e10000", "[]", 1],
        ),
        steps_of(
            &sql.writes.finalize_event,
            rusqlite::params![1, "e9999", "e10000", "[]", 1],
        ),
    ];
    for (which, (rows, steps)) in costs.into_iter().enumerate() {
        assert!(
            steps < 70 * (rows as i32 + 1),
            "query {which}: {steps} steps for {rows} rows"
        );
    }
}

#[tokio::test]
async fn catch_up_returns_edited_and_newer_events() {
    let test = TestStore::open().await;
    let key = begun(&test.store, "t").await;
    let texts = (0..150).map(|n| said("t", &format!("e{n}"), "x")).collect();
    test.store.write_turn(&scope(), &key, texts).await.unwrap();
    let after = SnapshotFrom::After("e9".to_owned());
    let snapshot = test
        .store
        .snapshot(&scope(), "t", &after, usize::MAX)
        .await
        .unwrap();
    assert_eq!(snapshot.events.len(), 100);
    for id in ["e5", "e120", "e30"] {
        edit(&test.store, id).await;
    }
    let caught_up = test
        .store
        .catch_up(&scope(), "t", &snapshot.position, 500.into())
        .await
        .unwrap();
    assert!(caught_up.is_complete);
    let ids = event_ids(&caught_up.changes);
    // New: e110 to e149. Edited in the part that the client kept: e5. Edited in the snapshot: e30.
    assert_eq!(ids.len(), 42);
    assert!(ids.contains(&"e5") && ids.contains(&"e30"));
    let new: Vec<_> = ids
        .iter()
        .filter(|id| **id != "e5" && **id != "e30")
        .collect();
    assert_eq!(*new[0], "e110");
    assert_eq!(*new[39], "e149");
}

/// A reader that disconnects at once names the last event of its snapshot. It must have received all changes before
/// that event.
#[tokio::test]
async fn snapshot_ends_at_the_edited_part_a_reader_knows() {
    let test = TestStore::open().await;
    let key = begun(&test.store, "t").await;
    let say = async |numbers: std::ops::Range<u32>| {
        let texts = numbers.map(|n| said("t", &format!("e{n}"), "x")).collect();
        test.store.write_turn(&scope(), &key, texts).await.unwrap();
    };
    say(0..20).await;
    edit(&test.store, "e5").await;
    edit(&test.store, "e15").await;
    say(20..30).await;
    edit(&test.store, "e7").await;

    let after = SnapshotFrom::After("e9".to_owned());
    let snapshot = test
        .store
        .snapshot(&scope(), "t", &after, usize::MAX)
        .await
        .unwrap();
    let shown: Vec<_> = snapshot.events.iter().map(|event| &*event.id).collect();
    assert_eq!((shown[0], shown.len(), shown[9]), ("e10", 10, "e19"));
    assert!(!snapshot.is_complete);
    let scope = scope();
    let page = test
        .store
        .catch_up(&scope, "t", &snapshot.position, 5.into());
    let page = page.await.unwrap();
    assert_eq!(
        event_ids(&page.changes),
        ["e5", "e20", "e21", "e22", "e23", "e24"]
    );
    let page = test.store.catch_up(&scope, "t", &page.position, 9.into());
    let page = page.await.unwrap();
    assert_eq!(
        event_ids(&page.changes),
        ["e25", "e26", "e27", "e28", "e29", "e7"]
    );
    assert!(page.is_complete);

    say(30..140).await;
    let covering = SnapshotFrom::Covering("e9".to_owned());
    let snapshot = test
        .store
        .snapshot(&scope, "t", &covering, usize::MAX)
        .await
        .unwrap();
    assert_eq!(snapshot.events[0].id, "e5");
    assert!(snapshot.is_complete);
}

/// Edits an event: the row takes the thread's next `rev`.
async fn edit(store: &SqliteStore, id: &str) {
    let sql = format!(
        "UPDATE worker_threads SET rev = rev + 1;
        UPDATE worker_events SET rev = (SELECT rev FROM worker_threads), finalized = 1 WHERE id = '{id}'"
    );
    trouble::on_writer(store, &sql).await;
}

fn event_ids(changes: &[Change]) -> Vec<&str> {
    let events = changes.iter().filter_map(|change| match &change.body {
        ChangeBody::Event(event) => Some(&*event.id),
        _ => None,
    });
    events.collect()
}
