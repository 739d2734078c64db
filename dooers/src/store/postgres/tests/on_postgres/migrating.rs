//! Tests of migrations, and of databases that cannot be used.

use super::{open, place, prefix, session};
use crate::log_capture::CapturedLog;
use crate::protocol::ContentPart;
use crate::store::postgres::connect::statement::{execute_script, query};
use crate::store::postgres::migrate::{MIGRATIONS, MigrateError, migrate};
use crate::store::postgres::statements::render;
use crate::store::sql::{Columns, Migration};
use crate::store::tests::{first_message, report, scope, start};
use crate::store::{
    NodeStore, PostgresOptions, PostgresStore, Store, StoreError, TablePrefix, WorkerKey,
};
use futures::future::join_all;
use serde_json::json;
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;

async fn run(connection: &mut PgConnection, prefix: &TablePrefix, sql: &str) {
    let sql: Arc<str> = render(sql, prefix).into();
    execute_script(connection, &sql).await.unwrap();
}

/// Returns the tables, columns and indices of a prefix, without the prefix.
async fn schema(connection: &mut PgConnection, prefix: &TablePrefix) -> Vec<String> {
    let sql = "
        SELECT replace(x.what, '{prefix}', '') FROM (
            SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable) AS what
            FROM information_schema.columns WHERE table_name LIKE '{prefix}%'
            UNION ALL
            SELECT indexdef FROM pg_indexes WHERE tablename LIKE '{prefix}%'
        ) x ORDER BY 1";
    let sql: Arc<str> = render(sql, prefix).into();
    let rows = query(&sql).fetch_all(connection).await.unwrap();
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

async fn error_of(options: &PostgresOptions) -> String {
    PostgresStore::open(options.clone())
        .await
        .unwrap_err()
        .to_string()
}

#[test]
fn the_steps_are_those_of_sqlite() {
    let ours: Vec<_> = MIGRATIONS
        .iter()
        .map(|step| (step.version, step.name))
        .collect();
    let versions = ours.iter().map(|(version, _)| *version);
    assert!(versions.eq((1..).take(ours.len())), "{ours:?}");
    #[cfg(feature = "sqlite")]
    {
        let theirs = crate::store::sqlite::versions_and_names();
        assert_eq!(ours, theirs);
    }
}

#[tokio::test]
async fn each_version_is_brought_up_to_the_same_tables() {
    let Some(options) = place() else { return };
    let mut connection = session(&options).await;
    let mut schemas = Vec::new();
    for from in 0..=MIGRATIONS.len() {
        let options = options.clone().table_prefix(prefix());
        migrate(&mut connection, &options, &MIGRATIONS[..from], true)
            .await
            .unwrap();
        migrate(&mut connection, &options, MIGRATIONS, true)
            .await
            .unwrap();
        migrate(&mut connection, &options, MIGRATIONS, false)
            .await
            .unwrap();
        schemas.push(schema(&mut connection, &options.table_prefix).await);
    }
    assert!(schemas[0].len() > 80, "{:#?}", schemas[0]);
    assert!(schemas.iter().all(|schema| *schema == schemas[0]));
}

#[tokio::test]
async fn json_of_an_earlier_version_is_read_as_it_was() {
    let Some(options) = place() else { return };
    let mut connection = session(&options).await;
    let prefix = options.table_prefix.clone();
    let before: Vec<_> = MIGRATIONS.iter().filter(|step| step.version < 5).collect();
    let before: Vec<Migration> = before.into_iter().copied().collect();
    migrate(&mut connection, &options, &before, true)
        .await
        .unwrap();
    let rows = r#"
        INSERT INTO {prefix}workspaces (worker_id, organization_id, workspace_id) VALUES ('w', 'o', 's');
        INSERT INTO {prefix}scopes (workspace_pk, agent, threads) SELECT pk, 'echo', 1 FROM {prefix}workspaces;
        INSERT INTO {prefix}threads
        SELECT 1, 't', pk, 1, '{"user_id": "ann"}', '[{"user_id": "ann"}]', NULL, '{"b": [1, {"z": null}], "a": 0.5}',
            now(), now(), now(), 2, 1, 2 FROM {prefix}scopes;
        INSERT INTO {prefix}events (thread_pk, seq, id, first_rev, rev, kind, actor, content, data, created_at) VALUES
            (1, 1, 'e1', 1, 1, 'message', 'user', '[{"text": "hi", "type": "text"}]',
             '{"bb": 10000000000000000.0, "a": 1, "c": "\u00e9"}', now()),
            (1, 2, 'e2', 2, 2, 'message', 'assistant', NULL, NULL, now());
        INSERT INTO {prefix}settings VALUES ('echo', 'w', 'f', '{"b": 1, "a": [2]}', NULL, now());"#;
    run(&mut connection, &prefix, rows).await;

    let store = open(&options).await;
    let thread = store.thread(&scope(), "t").await.unwrap().thread;
    assert_eq!(
        thread.metadata,
        Some(json!({"a": 0.5, "b": [1, {"z": null}]}))
    );
    assert_eq!(thread.users[0].user_id, "ann");
    let page = store.events(&scope(), "t", None, 9.into()).await.unwrap();
    let data = json!({"a": 1, "c": "é", "bb": 1e16});
    assert_eq!(page.events[0].data, Some(data));
    assert_eq!(page.events[0].content, Some(vec![ContentPart::text("hi")]));
    let empty = (&page.events[1].data, &page.events[1].content);
    assert_eq!(empty, (&None, &None));
    let worker = WorkerKey {
        agent: "echo".to_owned(),
        worker_id: "w".to_owned(),
    };
    let settings = store.settings(&worker).await.unwrap();
    assert_eq!(settings[0].value, json!({"a": [2], "b": 1}));
}

#[tokio::test]
async fn two_prefixes_are_two_stores_in_one_database() {
    let Some(options) = place() else { return };
    let other = options.clone().table_prefix(prefix());
    let (one, two) = (open(&options).await, open(&other).await);
    for store in [&one, &two] {
        let new = first_message("t", "e");
        let begun = store.begin_turn(&scope(), new, &start("r")).await.unwrap();
        assert!(!begun.is_repeated);
    }
    one.delete_thread(&scope(), "t").await.unwrap();
    assert_eq!(
        two.threads(&scope(), None, 9.into())
            .await
            .unwrap()
            .total_count,
        1
    );
}

#[tokio::test]
async fn new_tables_beside_others_are_logged() {
    let Some(options) = place() else { return };
    PostgresStore::migrate(&options).await.unwrap();
    let other = options.table_prefix(prefix());
    let (log, _capture) = CapturedLog::start();
    PostgresStore::migrate(&other).await.unwrap();
    let text = log.text();
    let name = other.table_prefix.as_str();
    assert!(
        text.contains("this schema already has tables with other prefixes") && text.contains(name),
        "{text}"
    );
    PostgresStore::migrate(&other).await.unwrap();
    assert_eq!(log.text(), text);
}

#[tokio::test]
async fn many_that_migrate_at_once_make_the_tables_once() {
    let Some(options) = place() else { return };
    let all = (0..6).map(|_| PostgresStore::migrate(&options));
    for outcome in join_all(all).await {
        outcome.unwrap();
    }
    drop(open(&options.auto_migrate(false)).await);
}

#[tokio::test]
async fn old_schema_is_kept_and_the_error_gives_advice() {
    let Some(options) = place() else { return };
    let options = options.auto_migrate(false);
    let error = error_of(&options).await;
    assert!(
        error.contains("its schema is version 0 and this program needs"),
        "{error}"
    );
    for advice in ["AUTO_MIGRATE=true", "DATABASE_TABLE_PREFIX"] {
        assert!(error.contains(advice), "{error}");
    }
    let mut connection = session(&options).await;
    assert!(
        schema(&mut connection, &options.table_prefix)
            .await
            .is_empty()
    );
    migrate(&mut connection, &options, &MIGRATIONS[..2], true)
        .await
        .unwrap();
    let error = error_of(&options).await;
    assert!(
        error.contains("its schema is version 2 and this program needs"),
        "{error}"
    );
    PostgresStore::migrate(&options).await.unwrap();
    drop(open(&options).await);
}

#[tokio::test]
async fn a_step_that_fails_half_way_leaves_nothing() {
    let Some(options) = place() else { return };
    let prefix = &options.table_prefix;
    let mut connection = session(&options).await;
    let broken = Migration {
        version: 2,
        name: "broken",
        sql: "CREATE TABLE {prefix}half (pk BIGINT); SELECT 1 / 0;",
        is_breaking: false,
    };
    let steps = [MIGRATIONS[0], broken];
    let error = migrate(&mut connection, &options, &steps, true)
        .await
        .unwrap_err();
    assert!(matches!(error, MigrateError::Database(_)), "{error}");
    assert!(schema(&mut connection, prefix).await.is_empty());
    drop(open(&options).await);
}

#[tokio::test]
async fn a_changed_step_and_a_newer_schema_are_refused() {
    let Some(options) = place() else { return };
    drop(open(&options).await);
    let prefix = &options.table_prefix;
    let mut connection = session(&options).await;
    let update = "UPDATE {prefix}schema_migrations SET checksum = 'other' WHERE version = 2";
    run(&mut connection, prefix, update).await;
    let error = error_of(&options).await;
    assert!(
        error.contains("migration 2 (`settings`) differs from the one"),
        "{error}"
    );
    let insert = "INSERT INTO {prefix}schema_migrations VALUES (999, 'later', '', now())";
    run(&mut connection, prefix, insert).await;
    let error = error_of(&options).await;
    assert!(
        error.contains("a newer version of this program created it"),
        "{error}"
    );
}

#[tokio::test]
async fn a_database_that_cannot_hold_all_texts_is_refused() {
    let Some(options) = place() else { return };
    let mut connection = session(&options).await;
    let name = format!("{}latin", options.table_prefix);
    let create = format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let create: Arc<str> = create.into();
    execute_script(&mut connection, &create).await.unwrap();
    let error = error_of(&options.database(name)).await;
    assert!(error.contains("its encoding is LATIN1"), "{error}");
    assert!(error.contains("ENCODING 'UTF8'"), "{error}");
}

#[tokio::test]
async fn the_tables_of_another_program_are_left_alone() {
    let Some(options) = place() else { return };
    let mut connection = session(&options).await;
    run(
        &mut connection,
        &options.table_prefix,
        "CREATE TABLE {prefix}threads (id TEXT)",
    )
    .await;
    let error = error_of(&options).await;
    assert!(error.contains("is missing); set another prefix"), "{error}");
    assert_eq!(
        schema(&mut connection, &options.table_prefix).await.len(),
        1
    );
}

/// The migrations of a later version of the program. The last of them may be breaking.
fn later(is_breaking: bool) -> Vec<Migration> {
    let newest = MIGRATIONS.last().unwrap().version;
    let next = Migration {
        version: newest + 1,
        name: "later",
        sql: "CREATE TABLE {prefix}later (pk BIGINT PRIMARY KEY)",
        is_breaking,
    };
    [MIGRATIONS, &[next]].concat()
}

const LEASE: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn running_process_survives_a_compatible_migration() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    store.report_node(&report("n"), LEASE).await.unwrap();
    let mut connection = session(&options).await;
    migrate(&mut connection, &options, &later(false), true)
        .await
        .unwrap();
    store.report_node(&report("n"), LEASE).await.unwrap();
    let new = first_message("t", "e");
    let begun = store.begin_turn(&scope(), new, &start("r")).await.unwrap();
    assert!(begun.claim.is_some());
    // Its program does not start again.
    let known = MIGRATIONS.last().unwrap().version;
    let error = error_of(&options).await;
    let refusal = format!(
        "(its schema is version {}, this program knows {known}); update the program",
        known + 1
    );
    assert!(error.contains(&refusal), "{error}");
}

#[tokio::test]
async fn breaking_migration_waits_for_running_processes() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    for id in ["a", "b", "c", "d", "e"] {
        store.report_node(&report(id), LEASE).await.unwrap();
    }
    let mut connection = session(&options).await;
    let before = schema(&mut connection, &options.table_prefix).await;
    let refused = migrate(&mut connection, &options, &later(true), true).await;
    let error = refused.unwrap_err().to_string();
    let version = MIGRATIONS.last().unwrap().version + 1;
    let reason = format!(
        "its migration {version} (`later`) makes the tables unusable for the programs of earlier versions that are \
         running (process 7 on `here`, process 7 on `here`, process 7 on `here`, 2 more); stop them, then start"
    );
    assert!(error.contains(&reason), "{error}");
    // The transaction ends with the connection.
    drop(connection);
    let mut connection = session(&options).await;
    assert_eq!(schema(&mut connection, &options.table_prefix).await, before);
    for id in ["a", "b", "c", "d"] {
        store.remove_node(id).await.unwrap();
    }
    // The last one was killed, and its lease has ended.
    store
        .report_node(&report("e"), Duration::ZERO)
        .await
        .unwrap();
    migrate(&mut connection, &options, &later(true), true)
        .await
        .unwrap();
}

#[tokio::test]
async fn process_that_missed_a_breaking_migration_is_told() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    store
        .report_node(&report("n"), Duration::ZERO)
        .await
        .unwrap();
    let mut connection = session(&options).await;
    migrate(&mut connection, &options, &later(true), true)
        .await
        .unwrap();
    let seen_at = store.nodes().await.unwrap()[0].seen_at;
    let error = store.report_node(&report("n"), LEASE).await.unwrap_err();
    assert!(matches!(error, StoreError::Open(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("this process cannot use them any more; update this program"),
        "{text}"
    );
    let nodes = store.nodes().await.unwrap();
    assert_eq!((nodes[0].seen_at, nodes[0].is_alive), (seen_at, false));
}
