//! A store whose database restarts and whose connections are killed. No operation is lost or repeated.

use crate::fixtures::{first, next, said, scope, start};
use chrono::DateTime;
use dooers::store::{
    PostgresOptions, PostgresStore, SnapshotFrom, Store, StoreError, StoredSetting, WorkerKey,
};
use dooers_tests::postgres::{
    Cluster, ClusterOptions, connect, dedicated, kill_connections, pooled_only,
};
use dooers_tests::within;
use futures::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// The application name of the store's connections.
const NAME: &str = "under-test";

fn options(cluster: &Cluster) -> PostgresOptions {
    cluster.options().application_name(NAME)
}

async fn open(cluster: &Cluster) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(options(cluster)).await.unwrap())
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

async fn execute(cluster: &Cluster, sql: &'static str) {
    let mut admin = connect(&cluster.url()).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
}

/// A condition: a connection of the store has committed and gets no response.
const NO_ANSWER: &str = "SELECT count(*) > 0 FROM pg_stat_activity
    WHERE application_name = 'under-test' AND wait_event = 'SyncRep'";

/// Makes every later commit flush to disk and then wait for a replica that never answers.
async fn block_responses(cluster: &Cluster) {
    execute(
        cluster,
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    )
    .await;
    execute(cluster, "SELECT pg_reload_conf()").await;
    wait_until(
        cluster,
        "SELECT current_setting('synchronous_standby_names') = 'nobody'",
    )
    .await;
}

async fn unblock_responses(cluster: &Cluster) {
    execute(cluster, "ALTER SYSTEM RESET synchronous_standby_names").await;
    execute(cluster, "SELECT pg_reload_conf()").await;
}

/// The ids of a thread's events, in order.
async fn events_of(store: &PostgresStore, thread_id: &str) -> Vec<String> {
    let scope = scope();
    let newest = store.snapshot(&scope, thread_id, &SnapshotFrom::Newest, usize::MAX);
    let events = newest.await.unwrap().events;
    events.into_iter().map(|event| event.id).collect()
}

/// Sends messages and answers turn by turn, and reports each turn. Returns the expected event ids.
async fn run_turns(
    store: Arc<PostgresStore>,
    thread_id: String,
    turns: usize,
    done: UnboundedSender<()>,
) -> Vec<String> {
    let mut expected = Vec::new();
    for turn in 0..turns {
        let (question, answer) = (
            format!("{thread_id}-q{turn}"),
            format!("{thread_id}-a{turn}"),
        );
        let message = if turn == 0 {
            first(&thread_id, &question)
        } else {
            next(&thread_id, &question)
        };
        let run = start(&format!("{thread_id}-r{turn}"));
        let begun = store.begin_turn(&scope(), message, &run).await.unwrap();
        assert!(!begun.is_repeated);
        let key = begun.claim.expect("nothing else runs").key;
        let changes = vec![said(&thread_id, &answer)];
        store.write_turn(&scope(), &key, changes).await.unwrap();
        store
            .finish_turn(&scope(), &key, Vec::new(), None)
            .await
            .unwrap();
        expected.extend([question, answer]);
        let _ = done.send(());
    }
    expected
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_connections_lose_and_repeat_nothing() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let (done, mut turns) = unbounded_channel();
    let mut talking = JoinSet::new();
    for thread in 0..8 {
        let store = Arc::clone(&store);
        talking.spawn(run_turns(store, format!("t{thread}"), 15, done.clone()));
    }
    drop(done);
    let mut killed = 0;
    let mut few = Vec::new();
    while turns.recv_many(&mut few, 5).await > 0 {
        killed += kill_connections(&cluster.url(), NAME, i64::MAX).await;
    }
    assert!(killed > 10, "only {killed} connections were killed");
    let expected = within("the turns", talking.join_all()).await;
    for events in expected {
        let thread_id = events[0].split('-').next().unwrap();
        assert_eq!(events_of(&store, thread_id).await, events);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_flight_statements_wait_for_a_restart() {
    let Some(mut cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let begun = store
        .begin_turn(&scope(), first("t", "e1"), &start("r1"))
        .await;
    let key = begun.unwrap().claim.unwrap().key;
    cluster.crash();
    let asked = Instant::now();
    assert!(matches!(
        store.ping().await,
        Err(StoreError::Unavailable { .. })
    ));
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "it says so at once"
    );
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            store
                .write_turn(&scope(), &key, vec![said("t", "a1")])
                .await
        }
    });
    let reading = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.thread(&scope(), "t").await }
    });
    cluster.restart();
    within("the write", writing).await.unwrap().unwrap();
    within("the reader", reading).await.unwrap().unwrap();
    assert_eq!(events_of(&store, "t").await, ["e1", "a1"]);
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uncommitted_statement_is_retried() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let begun = store
        .begin_turn(&scope(), first("t", "e1"), &start("r1"))
        .await;
    let key = begun.unwrap().claim.unwrap().key;
    let mut admin = connect(&cluster.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM worker_threads FOR UPDATE")
        .execute(&mut admin)
        .await
        .unwrap();
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            store
                .write_turn(&scope(), &key, vec![said("t", "a1")])
                .await
        }
    });
    let waits = "SELECT count(*) > 0 FROM pg_stat_activity
        WHERE application_name = 'under-test' AND wait_event_type = 'Lock'";
    wait_until(&cluster, waits).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    // The next connection waits for the same lock.
    wait_until(&cluster, waits).await;
    sqlx::raw_sql("COMMIT").execute(&mut admin).await.unwrap();
    within("the write", writing).await.unwrap().unwrap();
    assert_eq!(events_of(&store, "t").await, ["e1", "a1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn committed_statement_with_lost_answer_runs_once() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(&cluster).await;
    // Now the next message is a single statement.
    let before = store
        .begin_turn(&scope(), first("before", "e0"), &start("r0"))
        .await;
    assert!(before.is_ok());
    block_responses(&cluster).await;
    let beginning = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            store
                .begin_turn(&scope(), first("t", "e1"), &start("r1"))
                .await
        }
    });
    wait_until(&cluster, NO_ANSWER).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    // The next connection waits, too.
    wait_until(&cluster, NO_ANSWER).await;
    unblock_responses(&cluster).await;
    let begun = within("the message", beginning).await.unwrap().unwrap();
    assert!(begun.claim.is_some() && !begun.is_repeated);
    assert_eq!(events_of(&store, "t").await, ["e1"]);
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answer_does_not_overwrite_a_newer_setting() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let worker = worker();
    let put = async |value| store.put_settings(&worker, vec![setting(value)]).await;
    put("before").await.unwrap();
    block_responses(&cluster).await;
    let putting = tokio::spawn({
        let (store, worker) = (Arc::clone(&store), worker.clone());
        async move { store.put_settings(&worker, vec![setting("mine")]).await }
    });
    wait_until(&cluster, NO_ANSWER).await;
    // The other process waits for the row lock and acquires it next.
    let theirs = tokio::spawn({
        let url = cluster.url();
        async move {
            let mut other = connect(&url).await.unwrap();
            let store =
                "SET synchronous_commit = local; UPDATE worker_settings SET value = '\"theirs\"'";
            sqlx::raw_sql(store).execute(&mut other).await.unwrap();
        }
    });
    let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    wait_until(&cluster, waits).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    within("their setting", theirs).await.unwrap();
    unblock_responses(&cluster).await;
    let stored = within("my setting", putting).await.unwrap();
    // Our value was stored first. The store may or may not have received the response.
    assert!(matches!(
        stored,
        Ok(_) | Err(StoreError::Unavailable { .. })
    ));
    let settings = store.settings(&worker).await.unwrap();
    assert_eq!(settings[0].value, "theirs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setting_change_succeeds_despite_a_lost_answer() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let worker = worker();
    block_responses(&cluster).await;
    let storing = tokio::spawn({
        let (store, worker) = (Arc::clone(&store), worker.clone());
        async move { store.put_settings(&worker, vec![setting("mine")]).await }
    });
    wait_until(&cluster, NO_ANSWER).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    let stored = within("the setting", storing).await.unwrap();
    assert_eq!(stored.unwrap(), [DateTime::UNIX_EPOCH]);
    let settings = store.settings(&worker).await.unwrap();
    assert_eq!(settings[0].value, "mine");

    let removing = tokio::spawn({
        let (store, worker) = (Arc::clone(&store), worker.clone());
        async move { store.remove_setting(&worker, "tone").await }
    });
    wait_until(&cluster, NO_ANSWER).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    within("the removal", removing).await.unwrap().unwrap();
    assert_eq!(store.settings(&worker).await.unwrap(), []);
    unblock_responses(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claim_with_a_lost_response_can_be_resumed() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let limit = Duration::from_millis(500);
    let options = options(&cluster);
    let options = options.connect_timeout(limit).statement_timeout(limit);
    let store = PostgresStore::open(options).await.unwrap();
    let before = store
        .begin_turn(&scope(), first("before", "e0"), &start("r0"))
        .await;
    assert!(before.is_ok());
    execute(
        &cluster,
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    )
    .await;
    execute(&cluster, "SELECT pg_reload_conf()").await;
    wait_until(
        &cluster,
        "SELECT current_setting('synchronous_standby_names') = 'nobody'",
    )
    .await;
    // The change is on disk, but no response is sent.
    let begun = store
        .begin_turn(&scope(), first("t", "e1"), &start("r1"))
        .await;
    assert!(
        matches!(begun, Err(StoreError::Unavailable { .. })),
        "{begun:?}"
    );
    execute(&cluster, "ALTER SYSTEM RESET synchronous_standby_names").await;
    execute(&cluster, "SELECT pg_reload_conf()").await;
    wait_until(
        &cluster,
        "SELECT current_setting('synchronous_standby_names') = ''",
    )
    .await;
    let settled = async {
        // The connection that finds out the outcome may have to be made more than once.
        while let Err(error) = store.settled().await {
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        }
    };
    within("the outcome", settled).await;
    let hour = Duration::from_secs(3600);
    let held = store.renew_leases("node", hour).await.unwrap();
    let unknown = held.iter().find(|held| held.key.event_id == "e1").unwrap();
    assert_eq!(unknown.scope, scope());
    let claim = store.resume_turn(&scope(), &unknown.key).await.unwrap();
    assert_eq!((&claim.key, &*claim.event.id), (&unknown.key, "e1"));
    assert_eq!(claim.run.unwrap().id, "r1");
    // It is a turn like any other.
    let again = store
        .begin_turn(&scope(), next("t", "e2"), &start("r2"))
        .await;
    assert!(again.unwrap().claim.is_none(), "the first turn still runs");
    let expired = store.expire_leases(chrono::Utc::now()).await.unwrap();
    assert_eq!(expired.interrupted, 0);
    let written = store
        .finish_turn(&scope(), &claim.key, Vec::new(), Some(&start("r3")))
        .await;
    assert_eq!(written.unwrap().next.unwrap().event.id, "e2");
}

#[tokio::test]
async fn pings_through_a_pooler_are_always_answered() {
    let Some(options) = pooled_only() else { return };
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(PostgresStore::open(options.clone()).await.unwrap());
    }
    for _ in 0..25 {
        let pings = stores.iter().flat_map(|store| (0..5).map(|_| store.ping()));
        for answer in join_all(pings).await {
            answer.unwrap();
        }
    }
    for store in stores {
        store.close().await;
    }
}
