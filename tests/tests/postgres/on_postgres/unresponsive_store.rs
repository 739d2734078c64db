//! A store whose database is frozen: each call returns in time, and no change is applied later.

use crate::fixtures::{first, next, said, scope, start};
use chrono::DateTime;
use dooers::store::{
    BeginOutcome, NewMessage, PageLimit, PostgresOptions, PostgresStore, SnapshotFrom, Store,
    StoreError, StoredSetting, WorkerKey,
};
use dooers_tests::postgres::{Cluster, ClusterOptions, connect, connections, dedicated};
use dooers_tests::{signal, within};
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;

/// The application name of the store's connections.
const NAME: &str = "silent";

/// The short timeouts of the store under test.
const LIMIT: Duration = Duration::from_secs(1);

/// Takes the lock of a process that runs migrations.
const MIGRATION_LOCK: &str =
    "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('dooers worker_', 0))";

fn options(cluster: &Cluster) -> PostgresOptions {
    let options = cluster.options().application_name(NAME);
    options.connect_timeout(LIMIT).statement_timeout(LIMIT)
}

async fn open(options: PostgresOptions) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(options).await.unwrap())
}

async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

/// Waits until the condition holds in the database.
async fn wait_until(cluster: &Cluster, condition: &'static str) {
    let mut admin = connect(&cluster.url()).await.unwrap();
    let all = async {
        loop {
            let holds = sqlx::query_scalar::<_, bool>(condition);
            if holds.fetch_one(&mut admin).await.unwrap() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    within(condition, all).await;
}

/// A condition: the store waits for a lock.
const IS_WAITING: &str = "SELECT count(*) > 0 FROM pg_stat_activity
    WHERE application_name = 'silent' AND wait_event_type = 'Lock'";

/// A condition: the store's connections are idle.
const IS_IDLE: &str = "SELECT count(*) = 0 FROM pg_stat_activity
    WHERE application_name = 'silent' AND state <> 'idle'";

fn worker() -> WorkerKey {
    WorkerKey {
        agent: "echo".to_owned(),
        worker_id: "w".to_owned(),
    }
}

fn setting(value: &str) -> StoredSetting {
    StoredSetting {
        field_id: "tone".to_owned(),
        value: value.into(),
        key_id: None,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

async fn begin(
    store: &PostgresStore,
    message: NewMessage,
    run_id: &str,
) -> Result<BeginOutcome, StoreError> {
    store.begin_turn(&scope(), message, &start(run_id)).await
}

#[track_caller]
fn unavailable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    let is_right = matches!(answer, Err(StoreError::Unavailable { .. }));
    assert!(is_right, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_times_out_while_server_is_frozen() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    // With a single connection, a leaked connection is noticed.
    let store = open(options(&cluster).pool_size(1)).await;
    let (here, worker) = (scope(), worker());
    let begun = begin(&store, first("t", "e0"), "r0").await;
    let key = begun.unwrap().claim.unwrap().key;
    for round in 1..=3 {
        let event = format!("e{round}");
        assert_eq!(
            store
                .threads(&here, None, PageLimit::new(9))
                .await
                .unwrap()
                .total_count,
            1
        );
        cluster.freeze();
        let silent = async {
            tokio::join!(
                async { unavailable(&store.threads(&here, None, PageLimit::new(9)).await) },
                async { unavailable(&store.events(&here, "t", None, PageLimit::new(9)).await) },
                async {
                    unavailable(
                        &store
                            .snapshot(&here, "t", &SnapshotFrom::Newest, usize::MAX)
                            .await,
                    );
                },
                async { unavailable(&store.settings(&worker).await) },
                async { unavailable(&store.put_settings(&worker, vec![setting("late")]).await) },
                async { unavailable(&store.renew_leases("node", LIMIT).await) },
                async { unavailable(&store.expire_leases(chrono::Utc::now()).await) },
                async { unavailable(&store.ping().await) },
                async {
                    let write = store.write_turn(&here, &key, vec![said("t", &event)]);
                    unavailable(&write.await);
                },
                async {
                    let message = first(&format!("t{round}"), &format!("m{round}"));
                    unavailable(&begin(&store, message, &format!("r{round}")).await);
                },
            )
        };
        within("the answers", silent).await;
        cluster.thaw();
        within("a ping", async { store.ping().await.unwrap() }).await;
        // The outcome is checked when the server answers again.
        wait_until(&cluster, IS_IDLE).await;
        for thread in store
            .threads(&here, None, PageLimit::new(9))
            .await
            .unwrap()
            .threads
        {
            if thread.id != "t" {
                store.delete_thread(&here, &thread.id).await.unwrap();
            }
        }
    }
    let last = vec![said("t", "last")];
    store.write_turn(&here, &key, last).await.unwrap();
    let newest = store
        .snapshot(&here, "t", &SnapshotFrom::Newest, usize::MAX)
        .await;
    let ids: Vec<_> = newest.unwrap().events.into_iter().map(|e| e.id).collect();
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "{ids:?}");
    assert_eq!((&*ids[0], &*ids[ids.len() - 1]), ("e0", "last"));
    within("the end", store.close()).await;
    // A process of the server ends a moment after its connection.
    let url = cluster.url();
    let ended = async { while connections(&url, NAME).await > 0 {} };
    within("the connections to end", ended).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_setting_is_not_stored_later() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(options(&cluster)).await;
    let worker = worker();
    let put = async |value| store.put_settings(&worker, vec![setting(value)]).await;
    put("before").await.unwrap();
    let mut admin = connect(&cluster.url()).await.unwrap();
    for _ in 0..2 {
        // The statement is in the input buffer of the frozen server, which would still have time to run it.
        run(&mut admin, "BEGIN; LOCK TABLE worker_settings").await;
        let putting = tokio::spawn({
            let (store, worker) = (Arc::clone(&store), worker.clone());
            async move { store.put_settings(&worker, vec![setting("late")]).await }
        });
        wait_until(&cluster, IS_WAITING).await;
        cluster.freeze();
        unavailable(&within("the setting", putting).await.unwrap());
        cluster.thaw();
        run(&mut admin, "ROLLBACK").await;
        wait_until(&cluster, IS_IDLE).await;
        assert_eq!(store.settings(&worker).await.unwrap()[0].value, "before");

        cluster.freeze();
        let removed = store.remove_setting(&worker, "tone");
        unavailable(&within("the removal", removed).await);
        cluster.thaw();
        wait_until(&cluster, IS_IDLE).await;
        assert_eq!(store.settings(&worker).await.unwrap()[0].value, "before");
    }
    put("after").await.unwrap();
    assert_eq!(store.settings(&worker).await.unwrap()[0].value, "after");
    store.remove_setting(&worker, "tone").await.unwrap();
    assert_eq!(store.settings(&worker).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_statement_is_canceled_by_the_server() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(options(&cluster)).await;
    begin(&store, first("t", "e0"), "r0").await.unwrap();
    let mut admin = connect(&cluster.url()).await.unwrap();
    run(
        &mut admin,
        "BEGIN; LOCK TABLE worker_threads, worker_settings",
    )
    .await;
    let here = scope();
    let (reading, writing) = tokio::join!(
        store.threads(&here, None, PageLimit::new(9)),
        begin(&store, next("t", "e1"), "r1"),
    );
    unavailable(&reading);
    unavailable(&writing);
    unavailable(&store.settings(&worker()).await);
    // The lock is still held, and no statement waits for it.
    wait_until(&cluster, IS_IDLE).await;
    run(&mut admin, "ROLLBACK").await;
    assert_eq!(
        store
            .threads(&here, None, PageLimit::new(9))
            .await
            .unwrap()
            .total_count,
        1
    );
    begin(&store, next("t", "e1"), "r1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freeze_within_the_limit_is_tolerated() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    // The default timeouts.
    let store = open(cluster.options().application_name(NAME)).await;
    let begun = begin(&store, first("t", "e0"), "r0").await;
    let key = begun.unwrap().claim.unwrap().key;
    cluster.freeze();
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.write_turn(&scope(), &key, vec![said("t", "a")]).await }
    });
    unavailable(&store.ping().await);
    cluster.thaw();
    within("the write", writing).await.unwrap().unwrap();
    let page = store
        .events(&scope(), "t", None, PageLimit::new(9))
        .await
        .unwrap();
    assert_eq!(page.events.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_of_a_frozen_store_completes() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(options(&cluster)).await;
    begin(&store, first("t", "e0"), "r0").await.unwrap();
    assert_eq!(
        store
            .threads(&scope(), None, PageLimit::new(9))
            .await
            .unwrap()
            .total_count,
        1
    );
    cluster.freeze();
    let reading = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.threads(&scope(), None, PageLimit::new(9)).await }
    });
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { begin(&store, next("t", "e1"), "r1").await }
    });
    within("the end", store.close()).await;
    within("the reader", reading).await.unwrap().unwrap_err();
    within("the write", writing).await.unwrap().unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unresponsive_connections_are_replaced() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(options(&cluster).pool_size(1)).await;
    begin(&store, first("t", "e0"), "r0").await.unwrap();
    store
        .threads(&scope(), None, PageLimit::new(9))
        .await
        .unwrap();
    let mut admin = connect(&cluster.url()).await.unwrap();
    let all = "SELECT pid FROM pg_stat_activity WHERE application_name = 'silent'";
    let pids: Vec<i32> = sqlx::query_scalar(all).fetch_all(&mut admin).await.unwrap();
    assert_eq!(pids.len(), 2);
    for pid in pids {
        signal("STOP", u32::try_from(pid).unwrap());
    }
    unavailable(&store.threads(&scope(), None, PageLimit::new(9)).await);
    unavailable(&begin(&store, next("t", "e1"), "r1").await);
    store
        .threads(&scope(), None, PageLimit::new(9))
        .await
        .unwrap();
    begin(&store, next("t", "e2"), "r2").await.unwrap();
    cluster.thaw();
    let page = store
        .events(&scope(), "t", None, PageLimit::new(9))
        .await
        .unwrap();
    assert_eq!(page.events.len(), 2);
}

/// The error of opening a store.
async fn open_error(options: PostgresOptions) -> String {
    let opened = within("an error", PostgresStore::open(options)).await;
    opened.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_on_a_frozen_server_names_the_limit() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    cluster.freeze();
    let why = open_error(options(&cluster)).await;
    let expected = "the database did not answer within 1s (WORKER_DATABASE_CONNECT_TIMEOUT); check";
    assert!(why.contains(expected), "{why}");
    cluster.thaw();
    open(options(&cluster)).await.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_frozen_midway_names_the_limit() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    open(options(&cluster)).await.close().await;
    let mut admin = connect(&cluster.url()).await.unwrap();
    for freezes in [true, false] {
        run(&mut admin, "BEGIN; LOCK TABLE worker_schema_migrations").await;
        let opening = tokio::spawn(open_error(options(&cluster)));
        wait_until(&cluster, IS_WAITING).await;
        if freezes {
            cluster.freeze();
        }
        let why = opening.await.unwrap();
        assert!(why.contains("WORKER_DATABASE_STATEMENT_TIMEOUT"), "{why}");
        if freezes {
            cluster.thaw();
        }
        run(&mut admin, "ROLLBACK").await;
    }
    open(options(&cluster)).await.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_migration_changes_nothing() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let mut admin = connect(&cluster.url()).await.unwrap();
    let options = options(&cluster).migration_timeout(LIMIT);
    for freezes in [true, false] {
        run(&mut admin, MIGRATION_LOCK).await;
        let opening = tokio::spawn(open_error(options.clone()));
        wait_until(&cluster, IS_WAITING).await;
        if freezes {
            cluster.freeze();
        }
        let why = opening.await.unwrap();
        assert!(why.contains("WORKER_DATABASE_MIGRATION_TIMEOUT"), "{why}");
        if freezes {
            cluster.thaw();
        }
        run(&mut admin, "ROLLBACK").await;
        wait_until(&cluster, IS_IDLE).await;
        wait_until(
            &cluster,
            "SELECT count(*) = 0 FROM pg_class WHERE relname LIKE 'worker%'",
        )
        .await;
    }
    // A statement timeout does not apply to migrations.
    run(
        &mut admin,
        "ALTER ROLE postgres SET statement_timeout = 300",
    )
    .await;
    run(&mut admin, MIGRATION_LOCK).await;
    let opening = tokio::spawn(open(options.migration_timeout(Duration::from_secs(60))));
    wait_until(
        &cluster,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
         AND clock_timestamp() - query_start > INTERVAL '600 milliseconds'",
    )
    .await;
    run(&mut admin, "ROLLBACK").await;
    opening.await.unwrap().close().await;
}
