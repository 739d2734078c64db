//! Tests of the statements, on a migrated database.

use super::{open, place, session};
use crate::store::TablePrefix;
use crate::store::postgres::connect::statement::{execute_script, query};
use crate::store::postgres::statements::{Statements, render};
use crate::store::postgres::write::columns::BatchShape;
use crate::store::postgres::write::commit::Commits;
use crate::store::postgres::write::write_set::Rows;
use crate::store::sql::Columns;
use sqlx::{Executor, PgConnection, SqlSafeStr, Statement};
use std::sync::Arc;

/// Returns all statements with their names. The statement that writes is included for all groups of rows, and for each
/// pair of groups beside a thread.
fn all_statements(prefix: &TablePrefix) -> Vec<(String, Arc<str>)> {
    let statements = Statements::new(prefix);
    let fixed = statements.all().into_iter();
    let mut all: Vec<(String, Arc<str>)> = fixed
        .map(|(name, sql)| (name.to_owned(), sql.into()))
        .collect();
    let mut commits = Commits::new(prefix.clone());
    let names: Vec<&str> = Rows::GROUPS.iter().map(|group| group.name).collect();
    let mut commit = |chosen: &[&str]| {
        for rows in [1, 2] {
            let lengths = names
                .iter()
                .map(|name| usize::from(chosen.contains(name)) * rows);
            let shape = BatchShape::of(&lengths.collect::<Vec<_>>());
            let name = format!("{rows} {}", chosen.join(" "));
            all.push((name, commits.statement(shape)));
        }
    };
    commit(&names);
    for (place, first) in names.iter().enumerate() {
        for second in &names[place..] {
            commit(&["changed", first, second]);
        }
        commit(&["read", first]);
        commit(&["created", first]);
    }
    all
}

#[tokio::test]
async fn statements_with_the_longest_prefix_are_valid() {
    let Some(options) = place() else { return };
    let longest = format!("{:z<31}", options.table_prefix.as_str());
    let options = options.table_prefix(longest.parse().unwrap());
    drop(open(&options).await);
    let mut connection = session(&options).await;
    for (name, sql) in all_statements(&options.table_prefix) {
        assert!(!sql.contains(['{', '}', '?']), "{name}: {sql}");
        if let Err(error) = prepare(&mut connection, &sql).await {
            panic!("{name}: {error}\n{sql}");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a statement of this crate")]
async fn prepare(connection: &mut PgConnection, sql: &str) -> Result<usize, sqlx::Error> {
    let sql = sqlx::AssertSqlSafe(sql.to_owned()).into_sql_str();
    let prepared = connection.prepare(sql).await?;
    Ok(prepared
        .parameters()
        .map_or(0, |parameters| match parameters {
            sqlx::Either::Left(types) => types.len(),
            sqlx::Either::Right(count) => count,
        }))
}

async fn run(connection: &mut PgConnection, prefix: &TablePrefix, sql: &str) {
    let sql: Arc<str> = render(sql, prefix).into();
    execute_script(connection, &sql).await.unwrap();
}

/// Returns the lines of the database's plan for a statement.
async fn plan(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let parameters = prepare(connection, sql).await.unwrap();
    let name: Arc<str> = format!("PREPARE planned AS {sql}").into();
    execute_script(connection, &name).await.unwrap();
    let nulls = vec!["NULL"; parameters].join(", ");
    let call = if parameters == 0 {
        String::new()
    } else {
        format!("({nulls})")
    };
    let explain: Arc<str> = format!("EXPLAIN EXECUTE planned{call}").into();
    let rows = query(&explain)
        .persistent(false)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    execute_script(connection, &"DEALLOCATE planned".into())
        .await
        .unwrap();
    rows.iter()
        .map(|row| row.text(0).unwrap().to_owned())
        .collect()
}

/// Opens a store with large tables, most of whose rows belong to one thread and one scope. The planner has no
/// statistics yet.
const FILL: &str = "
    INSERT INTO {prefix}workspaces (worker_id, organization_id, workspace_id)
    SELECT 'w' || n, 'o', 's' FROM generate_series(1, 1000) n;
    INSERT INTO {prefix}scopes (workspace_pk, agent, threads)
    SELECT pk, 'echo', 100 FROM {prefix}workspaces;
    INSERT INTO {prefix}threads (pk, id, scope_pk, version, owner, users, created_at, updated_at, last_event_at, rev,
        row_rev, last_seq)
    SELECT n, 't' || n, n % 1000, 1, '{\"user_id\": \"ann\"}', '[]', now(), now(), now(), 10, 1, 10
    FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}participants SELECT pk, 0, 'user:ann', scope_pk, last_event_at, id FROM {prefix}threads;
    INSERT INTO {prefix}participant_counts SELECT n, 'user:ann', 100 FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}events (thread_pk, seq, id, first_rev, rev, kind, actor, created_at)
    SELECT 1 + n % 50, n, 'e' || n, n, n, 'message', 'user', now() FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}runs (thread_pk, scope_pk, id, event_id, first_rev, rev, status, started_at)
    SELECT 1 + n % 50, 1 + n % 50, 'r' || n, 'e' || n, n, n, 'succeeded', now() FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}feedback (thread_pk, participant, target_type, target_id, id, scope_pk, user_id, opinion,
        created_at, updated_at)
    SELECT 1 + n % 50, 'user:ann', 'event', 'e' || n, 'f' || n, 1 + n % 50, 'ann', 'like', now(), now()
    FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}usage
    SELECT 'u' || n, 1 + n % 50, 't' || n, 'r' || n, 'ann', 'm', 1, 1, 0, '', 0, 0, now() FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}usage_totals
    SELECT 'user', 'o', 'u' || n % 1000, n / 1000, '', 1, 0, 0 FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}turns (thread_pk, seq, event_id, state, node, lease_until)
    SELECT n, n, 'e' || n, 'running', 'n' || n % 100, now() FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}sent SELECT n % 1000, 'user:ann', 'c' || n, 't' || n, 'e' || n FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}settings SELECT 'echo', 'w' || n, 'f', '1', NULL, now() FROM generate_series(1, 100000) n;
    INSERT INTO {prefix}writers SELECT 'w' || n, 1, 1, ARRAY[]::bigint[], now() FROM generate_series(1, 1000) n;";

/// Returns `true` if the line scans all of an index with few entries: waiting or running turns, sealed settings and
/// answers, participants without threads, batches, the events that wait for the webhook, and processes.
fn is_short(line: &str) -> bool {
    [
        "turns_queued",
        "turns_held",
        "turns_leased",
        "turns_sealed",
        "settings_sealed",
        "participant_counts_none",
        "batches_pkey",
        "outbox_pkey",
        "outbox_waiting",
        "nodes_pkey",
    ]
    .iter()
    .any(|index| line.contains(index))
}

#[tokio::test]
async fn no_statement_walks_through_a_table() {
    let Some(options) = place() else { return };
    drop(open(&options).await);
    let prefix = &options.table_prefix;
    let mut connection = session(&options).await;
    // A plan that was made at one time is used later as well. The tables are first empty, then full without statistics,
    // and then full with statistics.
    let mut faults = Vec::new();
    for filling in ["", FILL, "ANALYZE"] {
        run(&mut connection, prefix, filling).await;
        for (name, sql) in all_statements(prefix) {
            // These run when a process starts. There are few writers and processes, and only old ones are removed.
            if name == "remove_writers" || name == "remove_dead_nodes" {
                continue;
            }
            let plan = plan(&mut connection, &sql).await;
            for (at, line) in plan.iter().enumerate() {
                let is_walk = ["Seq Scan", "Hash Join", "Merge Join"]
                    .iter()
                    .any(|walk| line.contains(walk));
                let is_index = line.contains("Index Scan") || line.contains("Index Only Scan");
                let next = plan.get(at + 1);
                let is_searched = next.is_some_and(|next| next.contains("Index Cond:"));
                if is_walk || is_index && !is_searched && !is_short(line) {
                    let (when, plan) = (filling.len(), plan.join("\n"));
                    faults.push(format!("{name}, line {at} ({when}):\n{plan}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
