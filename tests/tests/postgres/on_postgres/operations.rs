//! The life of the processes that share a database, as operators see it: reports, readiness, migrations of other versions, and
//! the loss of the broker.

use crate::fixtures::tables;
use dooers::prelude::*;
use dooers::repository::{NodeInfo, NodeState, Repository};
use dooers::store::{PostgresOptions, PostgresStore};
use dooers::{Database, ServerError, WorkerServer};
use dooers_tests::postgres::{connect, url};
use dooers_tests::{Client, Process, Server, gate, get, within};
use futures::FutureExt;
use sqlx::{Executor, PgConnection};
use std::pin::pin;
use std::time::Duration;

/// Says what the user said. A message that begins with `wait` first waits at the gate of its name.
#[dooers::agent]
async fn parrot(request: WorkerRequest) -> Result<String> {
    if request.message.starts_with("wait") {
        let _dropped = Dropped(format!("{}-dropped", request.message));
        gate::pass(&request.message).await;
    }
    Ok(request.message)
}

struct Dropped(String);

impl Drop for Dropped {
    fn drop(&mut self) {
        gate::arrive(&self.0);
    }
}

/// Short, so that a report follows soon.
const LEASE: Duration = Duration::from_secs(1);

fn worker(options: &PostgresOptions) -> WorkerServer {
    worker_with(options, |config| config)
}

fn worker_with(
    options: &PostgresOptions,
    change: impl FnOnce(WorkerConfig) -> WorkerConfig,
) -> WorkerServer {
    let config = WorkerConfig::new()
        .database(Database::Postgres(options.clone()))
        .lease(LEASE);
    WorkerServer::new(change(config)).agent::<parrot>()
}

async fn node(options: &PostgresOptions) -> Server {
    Server::start(worker(options)).await
}

async fn repository(server: &Server) -> Repository {
    server.worker().repository().await.unwrap()
}

/// Waits until the list of processes meets a condition.
async fn listed(repository: &Repository, is_it: impl Fn(&[NodeInfo]) -> bool) -> Vec<NodeInfo> {
    let listing = async {
        loop {
            let nodes = repository.nodes().await.unwrap();
            if is_it(&nodes) {
                return nodes;
            }
        }
    };
    within("the processes to be listed so", listing).await
}

/// Waits until `/readyz` answers with a text that begins like this. Returns its status.
async fn readiness(server: &Server, beginning: &str) -> u16 {
    let asking = async {
        loop {
            let (status, text) = server.get("/readyz").await;
            if text.starts_with(beginning) {
                return status;
            }
        }
    };
    within("the readiness", asking).await
}

const ALONE: &str = "ready; the other nodes cannot be reached";

#[expect(clippy::disallowed_methods, reason = "a statement of this test")]
async fn execute(connection: &mut PgConnection, sql: String) {
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

#[tokio::test]
async fn processes_are_listed_while_they_run() {
    let Some((options, _)) = tables() else { return };
    let nodes = [node(&options).await, node(&options).await];
    let repositories = [repository(&nodes[0]).await, repository(&nodes[1]).await];
    let is_serving = |node: &NodeInfo| {
        node.is_alive && node.state == NodeState::Serving && node.broker.is_connected
    };
    let list = listed(&repositories[1], |nodes| {
        nodes.len() == 2 && nodes.iter().all(is_serving)
    });
    let list = list.await;
    for node in &list {
        assert_eq!(node.version, env!("CARGO_PKG_VERSION"));
        assert_eq!(node.broker.kind, "postgres");
        assert_eq!(node.broker.malformed_messages, 0);
        assert_eq!(node.process_id, std::process::id());
        assert_eq!(node.schema_version, list[0].schema_version);
        assert!(!node.host.is_empty());
        assert!(node.started_at <= node.seen_at);
    }
    let mut ada = nodes[0].client("ada").await;
    ada.send_message(None, "wait listed").await;
    let busy = |node: &NodeInfo| node.connections == 1 && node.running_turns == 1;
    listed(&repositories[1], |nodes| nodes.iter().any(busy)).await;
    gate::open("wait listed");
    ada.read_turn().await;
    ada.disconnect().await;
    let idle = |node: &NodeInfo| node.connections == 0 && node.running_turns == 0;
    listed(&repositories[1], |nodes| nodes.iter().all(idle)).await;
    let [one, other] = nodes;
    one.close([]).await;
    let left = repositories[1].nodes().await.unwrap();
    assert_eq!(left.len(), 1);
    other.close([]).await;
}

#[tokio::test]
async fn killed_process_is_listed_as_dead() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    let living = node(&options).await;
    let url = url().unwrap();
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("WORKER_DATABASE_TABLE_PREFIX", &prefix),
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_LEASE", "1"),
    ];
    let mut killed = Process::start("remote-handlers", &variables);
    killed.address();
    let process_id = killed.id();
    let repository = repository(&living).await;
    let of = |nodes: &[NodeInfo]| {
        let mut nodes = nodes.iter();
        nodes.find(|node| node.process_id == process_id).cloned()
    };
    listed(&repository, |nodes| {
        of(nodes).is_some_and(|node| node.is_alive)
    })
    .await;
    killed.signal("KILL");
    let nodes = listed(&repository, |nodes| {
        of(nodes).is_some_and(|node| !node.is_alive)
    });
    let nodes = nodes.await;
    assert_eq!(of(&nodes).unwrap().state, NodeState::Serving);
    assert!(nodes.iter().any(|node| node.is_alive));
    living.close([]).await;
}

#[tokio::test]
async fn draining_process_is_not_ready_and_still_serves() {
    let Some((options, _)) = tables() else { return };
    let delay = Duration::from_secs(3600);
    let draining = worker_with(&options, |config| config.drain_delay(delay));
    let draining = Server::start(draining).await;
    assert_eq!(readiness(&draining, "ready\n").await, 200);
    let closing = draining.begin_close();
    assert_eq!(readiness(&draining, "the server is stopping\n").await, 503);
    assert_eq!(draining.get("/healthz").await.0, 200);
    let mut late = draining.client("ada").await;
    late.send_message(None, "hello").await;
    late.read_turn().await;
    let repository = repository(&draining).await;
    listed(&repository, |nodes| nodes[0].state == NodeState::Draining).await;
    assert!(closing.now_or_never().is_none());
}

#[tokio::test]
async fn server_stops_after_the_drain_delay() {
    let Some((options, _)) = tables() else { return };
    let delay = Duration::from_millis(50);
    let first = worker_with(&options, |config| config.drain_delay(delay));
    let (first, second) = (Server::start(first).await, node(&options).await);
    readiness(&first, "ready\n").await;
    let repository = repository(&second).await;
    first.close([]).await;
    listed(&repository, |nodes| nodes.len() == 1).await;
    second.close([]).await;
}

#[tokio::test]
async fn starting_server_answers_after_its_migration() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    let mut other = connect(&url().unwrap()).await.unwrap();
    let key = format!("hashtextextended('dooers {prefix}', 0)");
    execute(&mut other, format!("SELECT pg_advisory_lock({key})")).await;
    let server = node(&options).await;
    let mut watching = connect(&url().unwrap()).await.unwrap();
    let is_waiting = async {
        loop {
            let waiting = sqlx::query_scalar::<_, i64>(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'advisory'",
            );
            let waiting = waiting.bind(&prefix).fetch_one(&mut watching).await;
            if waiting.unwrap() > 0 {
                return;
            }
        }
    };
    let mut asked = pin!(get(server.address, "/readyz"));
    tokio::select! {
        biased;
        answer = &mut asked => panic!("{answer:?}"),
        () = is_waiting => {}
    }
    execute(&mut other, format!("SELECT pg_advisory_unlock({key})")).await;
    // The broker has made its first attempt, too.
    assert_eq!(asked.await, (200, "ready\n".to_owned()));
    server.close([]).await;
}

/// Adds a migration that no program of this version knows.
async fn migrate_later(prefix: &str, is_breaking: bool) {
    let mut later = connect(&url().unwrap()).await.unwrap();
    let add = format!(
        "INSERT INTO {prefix}schema_migrations VALUES (999, 'later', '', now(), {is_breaking})"
    );
    execute(&mut later, add).await;
}

#[tokio::test]
async fn compatible_migration_leaves_old_processes_running() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    let old = node(&options).await;
    let repository = repository(&old).await;
    let serving = |nodes: &[NodeInfo]| nodes[0].state == NodeState::Serving;
    let before = listed(&repository, serving).await[0].seen_at;
    migrate_later(&prefix, false).await;
    listed(&repository, |nodes| nodes[0].seen_at > before).await;
    let mut ada = old.client("ada").await;
    ada.send_message(None, "hello").await;
    ada.read_turn().await;
    // A process that starts with the old program is refused.
    let error = worker(&options).repository().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("a newer version of this program created it (its schema is version 999")
            && text.ends_with("update the program"),
        "{text}"
    );
    old.close([ada]).await;
}

#[tokio::test]
async fn breaking_migration_stops_a_process_that_missed_it() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    let old = worker(&options);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = {
        let old = old.clone();
        tokio::spawn(async move { old.serve_on(listener).await })
    };
    let mut ada = Client::open(address, "/ws").await;
    ada.connect("ada").await;
    ada.send_message(None, "wait overtaken").await;
    gate::arrived("wait overtaken").await;
    migrate_later(&prefix, true).await;
    gate::arrived("wait overtaken-dropped").await;
    let served = within("the server to stop", serving).await.unwrap();
    let error = served.unwrap_err();
    assert!(matches!(error, ServerError::Overtaken(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with("the server has stopped: ")
            && text.contains("changed its tables (migration 999; this program knows ")
            && text.ends_with("update this program"),
        "{text}"
    );
    old.close().await;
}

#[tokio::test]
async fn overtaken_process_ends_with_a_clear_error() {
    let Some((_, prefix)) = tables() else { return };
    let url = url().unwrap();
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("WORKER_DATABASE_TABLE_PREFIX", &prefix),
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_LEASE", "1"),
    ];
    let mut old = Process::start("remote-handlers", &variables);
    old.address();
    migrate_later(&prefix, true).await;
    let ended = tokio::task::spawn_blocking(|| old.wait_timeout(Duration::from_secs(60)));
    let (status, _, errors) = ended.await.unwrap();
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains("update this program"), "{errors}");
}

#[tokio::test]
async fn prefixes_in_one_schema_do_not_hear_each_other() {
    let Some((one, prefix)) = tables() else {
        return;
    };
    let Some((other, other_prefix)) = tables() else {
        return;
    };
    let nodes = [node(&one).await, node(&other).await];
    for node in &nodes {
        readiness(node, "ready\n").await;
    }
    let mut wire = connect(&url().unwrap()).await.unwrap();
    // PostgreSQL delivers in this order, so the last one arrives after all others.
    for prefix in [&prefix, &other_prefix, &prefix] {
        let notify = format!("SELECT pg_notify('dooers.public.{prefix}', 'malformed')");
        execute(&mut wire, notify).await;
    }
    for (node, number) in nodes.iter().zip([2, 1]) {
        let malformed = |nodes: &[NodeInfo]| nodes[0].broker.malformed_messages;
        let list = listed(&repository(node).await, |nodes| malformed(nodes) > 0).await;
        assert_eq!(list.len(), 1);
        listed(&repository(node).await, |nodes| malformed(nodes) == number).await;
    }
    for node in nodes {
        node.close([]).await;
    }
}

#[tokio::test]
async fn process_without_its_broker_serves_and_says_so() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    PostgresStore::migrate(&options).await.unwrap();
    let url = url().unwrap();
    let mut admin = connect(&url).await.unwrap();
    // The user of the notifications alone.
    let role = format!("{prefix}bus");
    execute(&mut admin, format!("CREATE ROLE {role} LOGIN")).await;
    execute(
        &mut admin,
        format!("GRANT SELECT ON {prefix}schema_migrations TO {role}"),
    )
    .await;
    let direct = url.replacen("postgres@", &format!("{role}@"), 1);
    let options = options.direct_url(&direct).unwrap();
    let nodes = [node(&options).await, node(&options).await];
    for node in &nodes {
        assert_eq!(readiness(node, "ready\n").await, 200);
    }
    execute(&mut admin, format!("ALTER ROLE {role} NOLOGIN")).await;
    let end =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
    execute(&mut admin, end).await;
    for node in &nodes {
        assert_eq!(readiness(node, ALONE).await, 200);
    }
    let repository = repository(&nodes[0]).await;
    let alone = |node: &NodeInfo| node.is_alive && !node.broker.is_connected;
    listed(&repository, |nodes| {
        nodes.len() == 2 && nodes.iter().all(alone)
    })
    .await;
    // Clients of both processes go on, with the database alone.
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    ada.run_turn(&thread_id, "again").await;
    bob.read_turn().await;
    execute(&mut admin, format!("ALTER ROLE {role} LOGIN")).await;
    for node in &nodes {
        assert_eq!(readiness(node, "ready\n").await, 200);
    }
    let [one, other] = nodes;
    one.close([ada]).await;
    other.close([bob]).await;
    execute(
        &mut admin,
        format!("DROP OWNED BY {role}; DROP ROLE {role}"),
    )
    .await;
}
