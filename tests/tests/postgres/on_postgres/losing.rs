//! A store whose database is restarted and whose connections are killed: nothing is lost and nothing done twice.

use crate::given::{first, next, said, scope, start};
use chrono::DateTime;
use dooers::store::{
    PostgresOptions, PostgresStore, SnapshotFrom, Store, StoreError, StoredSetting, WorkerKey,
};
use dooers_tests::postgres::{Cluster, Setup, kill_connections, own, session};
use dooers_tests::within;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// The name of the store's connections.
const NAME: &str = "under-test";

fn options(cluster: &Cluster) -> PostgresOptions {
    cluster.options().application_name(NAME)
}

async fn open(cluster: &Cluster) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(options(cluster)).await.unwrap())
}

/// Waits until the database says that this is so.
async fn until(cluster: &Cluster, condition: &'static str) {
    let mut admin = session(&cluster.url()).await.unwrap();
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

async fn tell(cluster: &Cluster, sql: &'static str) {
    let mut admin = session(&cluster.url()).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
}

/// Whether a connection of the store has committed and gets no answer.
const NO_ANSWER: &str = "SELECT count(*) > 0 FROM pg_stat_activity
    WHERE application_name = 'under-test' AND wait_event = 'SyncRep'";

/// What commits from now on is on the disk, and waits for a copy that never comes.
async fn no_answers(cluster: &Cluster) {
    tell(
        cluster,
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    )
    .await;
    tell(cluster, "SELECT pg_reload_conf()").await;
    until(
        cluster,
        "SELECT current_setting('synchronous_standby_names') = 'nobody'",
    )
    .await;
}

async fn answers_again(cluster: &Cluster) {
    tell(cluster, "ALTER SYSTEM RESET synchronous_standby_names").await;
    tell(cluster, "SELECT pg_reload_conf()").await;
}

/// The ids of a thread's events, in their order.
async fn events_of(store: &PostgresStore, thread_id: &str) -> Vec<String> {
    let scope = scope();
    let newest = store.snapshot(&scope, thread_id, &SnapshotFrom::Newest, usize::MAX);
    let events = newest.await.unwrap().events;
    events.into_iter().map(|event| event.id).collect()
}

/// Says something in a thread and answers, turn by turn, and tells of each turn. The result is what the events must be.
async fn talk(
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
async fn connections_that_are_killed_again_and_again_lose_and_repeat_nothing() {
    let Some(cluster) = own(Setup::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let (done, mut turns) = unbounded_channel();
    let mut talking = JoinSet::new();
    for thread in 0..8 {
        let store = Arc::clone(&store);
        talking.spawn(talk(store, format!("t{thread}"), 15, done.clone()));
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
async fn what_is_in_flight_waits_for_a_database_that_is_started_again() {
    let Some(mut cluster) = own(Setup::default()) else {
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
    cluster.start_again();
    within("the write", writing).await.unwrap().unwrap();
    within("the reader", reading).await.unwrap().unwrap();
    assert_eq!(events_of(&store, "t").await, ["e1", "a1"]);
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_was_not_committed_is_done_by_the_next_connection() {
    let Some(cluster) = own(Setup::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let begun = store
        .begin_turn(&scope(), first("t", "e1"), &start("r1"))
        .await;
    let key = begun.unwrap().claim.unwrap().key;
    let mut admin = session(&cluster.url()).await.unwrap();
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
    until(&cluster, waits).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    // The next one waits for the same lock.
    until(&cluster, waits).await;
    sqlx::raw_sql("COMMIT").execute(&mut admin).await.unwrap();
    within("the write", writing).await.unwrap().unwrap();
    assert_eq!(events_of(&store, "t").await, ["e1", "a1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_whose_answer_was_lost_is_not_done_again() {
    let Some(cluster) = own(Setup::default()) else {
        return;
    };
    let store = open(&cluster).await;
    // So that the next message is all in one statement.
    let before = store
        .begin_turn(&scope(), first("before", "e0"), &start("r0"))
        .await;
    assert!(before.is_ok());
    no_answers(&cluster).await;
    let beginning = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            store
                .begin_turn(&scope(), first("t", "e1"), &start("r1"))
                .await
        }
    });
    until(&cluster, NO_ANSWER).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    // The next connection waits, too.
    until(&cluster, NO_ANSWER).await;
    answers_again(&cluster).await;
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
async fn a_setting_whose_answer_was_lost_is_not_stored_over_that_of_another_process() {
    let Some(cluster) = own(Setup::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let worker = worker();
    let put = async |value| store.put_settings(&worker, vec![setting(value)]).await;
    put("before").await.unwrap();
    no_answers(&cluster).await;
    let putting = tokio::spawn({
        let (store, worker) = (Arc::clone(&store), worker.clone());
        async move { store.put_settings(&worker, vec![setting("mine")]).await }
    });
    until(&cluster, NO_ANSWER).await;
    // It waits for the row, and is the next who gets it.
    let theirs = tokio::spawn({
        let url = cluster.url();
        async move {
            let mut other = session(&url).await.unwrap();
            let store =
                "SET synchronous_commit = local; UPDATE worker_settings SET value = '\"theirs\"'";
            sqlx::raw_sql(store).execute(&mut other).await.unwrap();
        }
    });
    let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    until(&cluster, waits).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    within("their setting", theirs).await.unwrap();
    answers_again(&cluster).await;
    let stored = within("my setting", putting).await.unwrap();
    // Mine was stored first, which may or may not have been seen.
    assert!(matches!(
        stored,
        Ok(_) | Err(StoreError::Unavailable { .. })
    ));
    let settings = store.settings(&worker).await.unwrap();
    assert_eq!(settings[0].value, "theirs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_was_stored_or_removed_is_so_though_the_answer_was_lost() {
    let Some(cluster) = own(Setup::default()) else {
        return;
    };
    let store = open(&cluster).await;
    let worker = worker();
    no_answers(&cluster).await;
    let storing = tokio::spawn({
        let (store, worker) = (Arc::clone(&store), worker.clone());
        async move { store.put_settings(&worker, vec![setting("mine")]).await }
    });
    until(&cluster, NO_ANSWER).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    let stored = within("the setting", storing).await.unwrap();
    assert_eq!(stored.unwrap(), [DateTime::UNIX_EPOCH]);
    let settings = store.settings(&worker).await.unwrap();
    assert_eq!(settings[0].value, "mine");

    let removing = tokio::spawn({
        let (store, worker) = (Arc::clone(&store), worker.clone());
        async move { store.remove_setting(&worker, "tone").await }
    });
    until(&cluster, NO_ANSWER).await;
    assert!(kill_connections(&cluster.url(), NAME, i64::MAX).await > 0);
    within("the removal", removing).await.unwrap().unwrap();
    assert_eq!(store.settings(&worker).await.unwrap(), []);
    answers_again(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claim_without_an_answer_can_be_resumed() {
    let Some(cluster) = own(Setup::default()) else {
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
    tell(
        &cluster,
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    )
    .await;
    tell(&cluster, "SELECT pg_reload_conf()").await;
    until(
        &cluster,
        "SELECT current_setting('synchronous_standby_names') = 'nobody'",
    )
    .await;
    // It is on the disk, and nobody can be told so.
    let begun = store
        .begin_turn(&scope(), first("t", "e1"), &start("r1"))
        .await;
    assert!(
        matches!(begun, Err(StoreError::Unavailable { .. })),
        "{begun:?}"
    );
    tell(&cluster, "ALTER SYSTEM RESET synchronous_standby_names").await;
    tell(&cluster, "SELECT pg_reload_conf()").await;
    until(
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
