//! A server whose database is frozen: requests are rejected in time, turns end, and the server recovers by itself.

use dooers::Database;
use dooers::prelude::*;
use dooers::protocol::RunStatus;
use dooers::repository::{Repository, Scope};
use dooers::store::PostgresOptions;
use dooers_tests::postgres::{Cluster, ClusterOptions, Pooler, connect, dedicated};
use dooers_tests::{Client, Server, TIMEOUT, gate, within};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The short timeouts of the server under test.
const LIMIT: Duration = Duration::from_secs(1);

/// Number of concurrent clients, messages per client, and freezes of the database.
const MEMBERS: usize = 4;
const MESSAGES: usize = 12;
const SILENCES: usize = 4;

/// The writing speed of the agent.
#[derive(Debug, Clone, WorkerSettings)]
struct Pacing {
    #[setting(default = "plain")]
    tone: String,
}

/// The texts that handlers know to be stored.
static STORED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Waits at the gate of a message that begins with `wait` or `grow`; for `grow`, in the middle of a text. Otherwise
/// sends three texts and awaits each.
#[dooers::agent(queue = 1000)]
async fn noting(request: WorkerRequest, response: WorkerResponse, manner: Pacing) -> Result<()> {
    let said = &request.message;
    if said.starts_with("wait") {
        gate::pass(said).await;
        return Ok(());
    }
    if said.starts_with("grow") {
        let text = response.text_stream();
        text.push("half ");
        gate::pass(said).await;
        text.push("whole");
        text.finish().await?;
        return Ok(());
    }
    assert!(!manner.tone.is_empty(), "a setting has its default");
    for number in 1..=3 {
        let text = format!("{said}/{number}");
        response.text(text.clone()).await?;
        STORED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text);
    }
    Ok(())
}

async fn serve(options: PostgresOptions, lease: Duration) -> Server {
    let options = options.connect_timeout(LIMIT).statement_timeout(LIMIT);
    let database = Database::Postgres(options);
    Server::with::<noting>(|config| config.database(database).lease(lease)).await
}

fn scope() -> Scope {
    Scope::everyone::<noting>("w1")
        .organization("o1")
        .workspace("s1")
}

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// Waits until `/readyz` returns this status.
async fn wait_readiness(server: &Server, status: u16) {
    let end = tokio::time::Instant::now() + TIMEOUT;
    // Each request waits for the store.
    while server.get("/readyz").await.0 != status {
        assert!(tokio::time::Instant::now() < end, "it never says {status}");
    }
}

/// The answer to a frame: an ack or a result frame.
async fn answer(client: &mut Client, id: &str, kind: &str) -> Value {
    let is_answer = |frame: &Value| {
        frame["payload"]["ack_id"] == id || (frame["type"] == kind && kind != "ack")
    };
    let frames = client
        .read_until(&format!("an answer to `{id}`"), is_answer)
        .await;
    frames.into_iter().next_back().unwrap()
}

/// All requests that use the database, with the types of their answers.
fn requests(thread_id: &str, run_id: &str) -> Vec<(&'static str, Value, &'static str)> {
    let message = |thread_id: Option<&str>| {
        json!({
            "thread_id": thread_id,
            "event": {"type": "message", "actor": "user", "content": [{"type": "text", "text": "m"}]},
        })
    };
    let of_thread = json!({"thread_id": thread_id});
    let patch = json!({"field_id": "tone", "value": "loud"});
    vec![
        ("thread.list", json!({}), "thread.list.result"),
        ("thread.subscribe", of_thread.clone(), "thread.snapshot"),
        ("event.list", of_thread.clone(), "event.list.result"),
        ("event.create", message(Some(thread_id)), "ack"),
        ("event.create", message(None), "ack"),
        (
            "thread.update",
            json!({"thread_id": thread_id, "title": "A title"}),
            "ack",
        ),
        ("thread.delete", of_thread, "ack"),
        ("run.cancel", json!({"run_id": run_id}), "ack"),
        ("settings.subscribe", json!({}), "settings.snapshot"),
        ("settings.patch", patch, "ack"),
    ]
}

/// Sends each request from its own client. All must be rejected as overloaded.
async fn assert_all_rejected(
    clients: &mut [Client],
    requests: &[(&'static str, Value, &'static str)],
    round: usize,
) {
    let asked = clients
        .iter_mut()
        .zip(requests)
        .map(async |(client, request)| {
            let (verb, payload, kind) = request;
            let started = Instant::now();
            let id = client.send(verb, payload.clone()).await;
            let ack = answer(client, &id, kind).await;
            let error = &ack["payload"]["error"];
            assert_eq!(error["code"], "OVERLOADED", "{verb}: {ack}");
            assert!(error["retry_after_ms"].as_u64() > Some(0), "{verb}: {ack}");
            println!(
                "round {round}: {verb} is refused after {:?}",
                started.elapsed()
            );
        });
    futures::future::join_all(asked).await;
}

/// Checks that calls by the program fail, too.
async fn assert_program_rejected(server: &Server, repository: &Repository, thread_id: &str) {
    let unreachable = |error: &dyn std::error::Error| {
        let text = format!("{error:?}");
        assert!(text.contains("Unavailable"), "{text}");
    };
    let scope = scope();
    let dispatch = server.worker().dispatch::<noting>().worker("w1");
    tokio::join!(
        async { unreachable(&repository.threads(&scope).await.unwrap_err()) },
        async { unreachable(&repository.runs(&scope).await.unwrap_err()) },
        async { unreachable(&repository.events(&scope, thread_id).await.unwrap_err()) },
        async { unreachable(&repository.create_thread(&scope).await.unwrap_err()) },
        async { unreachable(&repository.settings(&scope).await.unwrap_err()) },
        async { unreachable(&dispatch.message("m").send().await.unwrap_err()) },
    );
}

/// Starts a turn that waits at its gate. Returns the ids of the thread and the run.
async fn begin(client: &mut Client, text: &str) -> (String, String) {
    client.send_message(None, text).await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let frames = client.read_until("a run", is_run).await;
    gate::arrived(text).await;
    let run = &frames[frames.len() - 1]["payload"]["run"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&run["thread_id"]), text(&run["id"]))
}

/// Freezes the database twice. All requests must be rejected meanwhile, and must succeed afterwards on the same
/// connections.
async fn check_rejects_and_recovers(
    options: PostgresOptions,
    key: &str,
    freeze: impl Fn(),
    thaw: impl Fn(),
) {
    let server = serve(options, LONG).await;
    let repository = server.worker().repository().await.unwrap();
    let mut owner = server.client("ada").await;
    let (thread_id, run_id) = begin(&mut owner, key).await;
    let requests = requests(&thread_id, &run_id);
    let mut clients = Vec::new();
    for _ in &requests {
        let mut client = server.client("ada").await;
        // Opens as many connections as the pool allows.
        client
            .request("thread.list", json!({}), "thread.list.result")
            .await;
        clients.push(client);
    }
    freeze();
    // The first round has open connections, the second round has none.
    for round in 1..=2 {
        let started = Instant::now();
        tokio::join!(
            assert_all_rejected(&mut clients, &requests, round),
            assert_program_rejected(&server, &repository, &thread_id),
            async {
                assert_eq!(server.get("/readyz").await.0, 503);
                println!(
                    "round {round}: /readyz is 503 after {:?}",
                    started.elapsed()
                );
                assert_eq!(server.get("/healthz").await.0, 200);
            },
        );
        for client in &mut clients {
            client.read_pending().await;
        }
    }
    thaw();
    let started = Instant::now();
    wait_readiness(&server, 200).await;
    println!("/readyz is 200 {:?} after the silence", started.elapsed());
    for (client, (verb, payload, kind)) in clients.iter_mut().zip(&requests) {
        if *verb == "thread.delete" {
            continue;
        }
        let id = client.send(verb, payload.clone()).await;
        let answer = answer(client, &id, kind).await;
        assert_ne!(answer["payload"]["ok"], false, "{verb}: {answer}");
    }
    gate::open(key);
    owner.read_turn().await;
    let delete = json!({"thread_id": thread_id});
    let id = owner.send("thread.delete", delete).await;
    let deleted = answer(&mut owner, &id, "ack").await;
    assert_eq!(deleted["payload"]["ok"], true, "{deleted}");
    clients.push(owner);
    server.close(clients).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_are_rejected_while_server_is_frozen() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let (freeze, thaw) = (|| cluster.freeze(), || cluster.thaw());
    check_rejects_and_recovers(cluster.options(), "wait server", freeze, thaw).await;
}

/// A cluster, a pooler in front of it, and options for a store. Returns `None` if PostgreSQL is not installed.
fn pooled() -> Option<(Cluster, Pooler, PostgresOptions)> {
    if Pooler::program().is_none() && std::env::var_os("CI").is_none() {
        eprintln!("skipped: PgBouncer is not installed");
        return None;
    }
    let cluster = dedicated(ClusterOptions::default())?;
    let pooler = Pooler::start(&cluster);
    let options = PostgresOptions::from_url(&pooler.url()).unwrap();
    Some((cluster, pooler, options.statement_cache(0)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_are_rejected_while_pooler_is_frozen() {
    let Some((_cluster, pooler, options)) = pooled() else {
        return;
    };
    let (freeze, thaw) = (|| pooler.freeze(), || pooler.thaw());
    check_rejects_and_recovers(options, "wait pooler", freeze, thaw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_are_rejected_while_pooled_server_hangs() {
    let Some((cluster, _pooler, options)) = pooled() else {
        return;
    };
    let (freeze, thaw) = (|| cluster.freeze(), || cluster.thaw());
    check_rejects_and_recovers(options, "wait behind", freeze, thaw).await;
}

/// Sends a message under a `client_event_id` until it is accepted.
async fn send(client: &mut Client, own_id: &str, thread_id: Option<&str>) {
    loop {
        let id = client.send_message_as(own_id, thread_id, own_id).await;
        let ack = answer(client, &id, "ack").await;
        if ack["payload"]["ok"] == true {
            return;
        }
        assert_eq!(ack["payload"]["error"]["code"], "OVERLOADED", "{ack}");
    }
}

/// Several clients write while the database freezes repeatedly. Each message is stored once, each text that a
/// handler knows to be stored is stored, and each turn ends.
async fn check_under_load(
    options: PostgresOptions,
    name: &str,
    freeze: impl Fn(),
    thaw: impl Fn(),
) {
    let server = serve(options, 2 * LIMIT).await;
    let (acked, mut acks) = mpsc::channel(MEMBERS * MESSAGES);
    let mut members = Vec::new();
    for member in 0..MEMBERS {
        let own = format!("{name}-{member}");
        let mut client = server.client(&*own).await;
        let acked = acked.clone();
        members.push(tokio::spawn(async move {
            send(&mut client, &format!("{own}-0"), None).await;
            let list = client.send("thread.list", json!({})).await;
            let threads = answer(&mut client, &list, "thread.list.result").await;
            let threads = threads["payload"]["threads"].as_array().unwrap().clone();
            let is_own = |thread: &&Value| thread["owner"]["user_id"] == own;
            let thread = threads.iter().find(is_own).unwrap();
            let thread_id = thread["id"].as_str().unwrap().to_owned();
            for number in 1..MESSAGES {
                send(&mut client, &format!("{own}-{number}"), Some(&thread_id)).await;
                acked.send(()).await.unwrap();
            }
            (client, own, thread_id)
        }));
    }
    drop(acked);
    let mut asker = server.client("asker").await;
    let mut some = Vec::new();
    let mut silences = 0;
    while acks.recv_many(&mut some, 1).await > 0 {
        if some.len() % (MEMBERS * (MESSAGES - 1) / SILENCES) != 0 {
            continue;
        }
        freeze();
        // The database has been frozen long enough when a request is rejected.
        let asked = asker.send("thread.list", json!({})).await;
        let refused = answer(&mut asker, &asked, "thread.list.result").await;
        assert_eq!(
            refused["payload"]["error"]["code"], "OVERLOADED",
            "{refused}"
        );
        thaw();
        silences += 1;
        wait_readiness(&server, 200).await;
    }
    assert!(silences >= SILENCES, "{silences}");
    let repository = server.worker().repository().await.unwrap();
    let mut clients = vec![asker];
    for member in members {
        let (client, own, thread_id) = within("a member", member).await.unwrap();
        clients.push(client);
        check(&repository, &own, &thread_id).await;
    }
    server.close(clients).await;
}

/// Waits until all turns of a thread have ended, and checks the stored events.
async fn check(repository: &Repository, own: &str, thread_id: &str) {
    let scope = scope();
    let ended = async {
        loop {
            let runs = repository.runs(&scope).thread(thread_id).limit(200).await;
            let runs = runs.unwrap().items;
            let is_over = |run: &&dooers::protocol::Run| run.status != RunStatus::Running;
            let over = runs.iter().filter(is_over).count();
            if over >= MESSAGES && over == runs.len() {
                return runs;
            }
        }
    };
    let runs = within("all turns to end", ended).await;
    let events = repository.events(&scope, thread_id).limit(200).await;
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    for event in events.unwrap().items {
        let part = event.content.iter().flatten().next();
        let text = part.and_then(|part| part.as_text()).unwrap_or_default();
        if text.starts_with(own) {
            *texts.entry(text.to_owned()).or_default() += 1;
        }
    }
    assert!(texts.values().all(|times| *times == 1), "{texts:#?}");
    for number in 0..MESSAGES {
        let message = format!("{own}-{number}");
        assert!(texts.contains_key(&message), "{message}: {texts:#?}");
    }
    let stored = STORED.lock().unwrap_or_else(PoisonError::into_inner);
    let prefix = format!("{own}-");
    for text in stored.iter().filter(|text| text.starts_with(&prefix)) {
        assert!(texts.contains_key(text), "{text}: {texts:#?}");
    }
    let succeeded = runs.iter().filter(|run| run.status == RunStatus::Succeeded);
    println!(
        "{own}: {} of {} turns succeeded",
        succeeded.count(),
        runs.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn freezes_under_load_lose_and_repeat_nothing() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let (freeze, thaw) = (|| cluster.freeze(), || cluster.thaw());
    check_under_load(cluster.options(), "server", freeze, thaw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pooler_freezes_under_load_lose_nothing() {
    let Some((_cluster, pooler, options)) = pooled() else {
        return;
    };
    let (freeze, thaw) = (|| pooler.freeze(), || pooler.thaw());
    check_under_load(options, "pooler", freeze, thaw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streaming_text_ends_for_readers_after_a_freeze() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let server = serve(cluster.options(), LONG).await;
    let mut client = server.client("ada").await;
    let mut asker = server.client("asker").await;
    for round in 0..2 {
        let key = format!("grow {round}");
        let (thread_id, _) = begin(&mut client, &key).await;
        cluster.freeze();
        gate::open(&key);
        let id = asker.send("thread.list", json!({})).await;
        let refused = answer(&mut asker, &id, "thread.list.result").await;
        assert_eq!(refused["payload"]["error"]["code"], "OVERLOADED");
        cluster.thaw();
        client.read_turn().await;
        let page = client.request(
            "event.list",
            json!({"thread_id": thread_id}),
            "event.list.result",
        );
        let page = page.await;
        let events = page["events"].as_array().unwrap();
        let texts = events.iter().filter(|event| event["actor"] == "assistant");
        let texts: Vec<_> = texts.collect();
        assert!(texts.len() <= 1, "{page}");
        for text in texts {
            assert_ne!(text["streaming"], true, "{page}");
            let text = text["content"][0]["text"].as_str().unwrap();
            assert!(["half ", "half", "half whole"].contains(&text), "{page}");
        }
    }
    server.close([client, asker]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn turn_end_with_a_lost_answer_is_published() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let server = serve(cluster.options(), LONG).await;
    let mut client = server.client("ada").await;
    let mut asker = server.client("asker").await;
    begin(&mut client, "wait for the end").await;
    let mut admin = connect(&cluster.url()).await.unwrap();
    let mut tell = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
    };
    // Every later commit is flushed to disk and then waits for a replica that never answers.
    tell("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    tell("SELECT pg_reload_conf()").await;
    // PostgreSQL applies the setting a little later: once the commit of the probe waits, all commits do.
    let mut probe = connect(&cluster.url()).await.unwrap();
    let probing = tokio::spawn(async move {
        while sqlx::raw_sql("CREATE TABLE IF NOT EXISTS probe (); DROP TABLE probe")
            .execute(&mut probe)
            .await
            .is_ok()
        {}
    });
    let waiting = async |commits: i64| {
        let mut admin = connect(&cluster.url()).await.unwrap();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&mut admin)
            .await
            .unwrap()
            < commits
        {
            tokio::task::yield_now().await;
        }
    };
    within("the commit of the probe", waiting(1)).await;
    gate::open("wait for the end");
    within("the commit of the end of the turn", waiting(2)).await;
    // The end of the turn times out before this request is rejected, as writes are sequential.
    let id = asker.send_message(None, "later").await;
    let refused = answer(&mut asker, &id, "ack").await;
    assert_eq!(
        refused["payload"]["error"]["code"], "OVERLOADED",
        "{refused}"
    );
    probing.abort();
    tell("ALTER SYSTEM RESET synchronous_standby_names").await;
    tell("SELECT pg_reload_conf()").await;
    let frames = client.read_turn().await;
    let run = &frames[frames.len() - 1]["payload"]["run"];
    assert_eq!(run["status"], "succeeded", "{run}");
    server.close([client, asker]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn message_without_an_answer_is_answered() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let server = serve(cluster.options(), LONG).await;
    let (mut client, mut reader) = (server.client("ada").await, server.client("bob").await);
    let thread_id = client.start_thread("first").await;
    reader.subscribe(&thread_id).await;
    let mut admin = connect(&cluster.url()).await.unwrap();
    let mut run_sql = async |sql: &'static str| {
        sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
    };
    // What commits from now on is on the disk, and waits for a copy that never comes.
    run_sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    run_sql("SELECT pg_reload_conf()").await;
    let mut lost = 0;
    // Connections learn the new setting one by one. A message that was answered in time is acknowledged.
    while lost < 2 {
        let message = format!("message {lost}");
        let id = client.send_message(Some(&thread_id), &message).await;
        let ack = answer(&mut client, &id, "ack").await;
        lost += usize::from(ack["payload"]["ok"] == false);
    }
    run_sql("ALTER SYSTEM RESET synchronous_standby_names").await;
    run_sql("SELECT pg_reload_conf()").await;
    // Nobody sends it again.
    let is_last = |frame: &Value| frame.to_string().contains("message 0/3");
    reader.read_until("the last text", is_last).await;
    reader.read_turn().await;
    let repository = server.worker().repository().await.unwrap();
    let runs = repository.runs(&scope()).thread(&thread_id).limit(200);
    for run in runs.await.unwrap().items {
        assert_ne!(run.status, RunStatus::Failed, "{run:?}");
    }
    server.close([client, reader]).await;
}
