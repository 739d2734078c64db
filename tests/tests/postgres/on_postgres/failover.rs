//! A server whose database fails while it works and then recovers.

use crate::history::{events, speakers_and_texts};
use dooers::Database;
use dooers::prelude::*;
use dooers::store::PostgresOptions;
use dooers_tests::postgres::{Cluster, ClusterOptions, dedicated, kill_connections};
use dooers_tests::{Client, Server, TIMEOUT, gate};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;

/// The application name of the server's connections.
const NAME: &str = "surviving";

/// Number of concurrent clients, and messages per client.
const MEMBERS: usize = 4;
const MESSAGES: usize = 12;

/// Sends the numbers up to the one at the end of the message, and awaits each. Halfway it waits at the gate at the
/// start of the message, unless that is `-`.
#[dooers::agent(queue = 1000)]
async fn counting(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let (key, last) = request.message.split_once(' ').unwrap_or(("-", "1"));
    let last: u32 = last.parse()?;
    for number in 1..=last {
        if key != "-" && number == last / 2 + 1 {
            gate::pass(key).await;
        }
        response.text(number.to_string()).await?;
    }
    Ok(())
}

/// Options with a long timeout: a database starts slowly on a busy machine.
fn patient_options(cluster: &Cluster) -> PostgresOptions {
    cluster.options().connect_timeout(Duration::from_secs(60))
}

async fn serve(options: PostgresOptions) -> Server {
    let database = Database::Postgres(options.application_name(NAME));
    // Private threads, so that each client receives only its own threads.
    Server::with::<counting>(|config| config.database(database).private_threads(true)).await
}

/// The texts from `1` to `last`, as the agent sends them.
fn numbers(last: u32) -> Vec<String> {
    (1..=last).map(|number| number.to_string()).collect()
}

async fn answers(client: &mut Client, thread_id: &str) -> Vec<String> {
    let stored = events(client, thread_id).await;
    let answers = speakers_and_texts(&stored).into_iter().skip(1);
    answers
        .map(|(who, text)| {
            assert_eq!(who, "assistant", "{text}");
            text.to_owned()
        })
        .collect()
}

/// Waits until the server reports that it is ready. It recovers without a request.
async fn wait_ready(server: &Server) {
    let end = tokio::time::Instant::now() + TIMEOUT;
    // Each request waits for the store.
    while server.get("/readyz").await.0 != 200 {
        assert!(tokio::time::Instant::now() < end, "it never becomes ready");
    }
}

async fn check_turn_survives(lose: fn(&mut Cluster), key: &str) {
    let Some(mut cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let server = serve(patient_options(&cluster)).await;
    let mut client = server.client("ada").await;
    assert_eq!(server.get("/readyz").await.0, 200);
    let id = client.send_message(None, &format!("{key} 6")).await;
    client.expect_ack(&id).await;
    let thread = client.expect("thread.upsert").await;
    let thread_id = thread["thread"]["id"].as_str().unwrap();
    gate::arrived(key).await;

    lose(&mut cluster);
    assert_eq!(server.get("/readyz").await.0, 503);
    assert_eq!(server.get("/healthz").await.0, 200);
    gate::open(key);
    // The request waits for the database like the turn.
    let list = client.send("thread.list", json!({})).await;
    cluster.restart();
    let frames = client.read_turn().await;
    let run = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(run["status"], "succeeded", "{run}");
    assert!(
        frames
            .iter()
            .all(|frame| frame["payload"]["ack_id"] != list)
    );
    wait_ready(&server).await;
    assert_eq!(answers(&mut client, thread_id).await, numbers(6));
    server.close([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turn_survives_a_database_restart() {
    check_turn_survives(Cluster::stop, "restart").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turn_survives_a_database_crash() {
    check_turn_survives(Cluster::crash, "crash").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstored_message_is_rejected_and_can_be_resent() {
    let Some(mut cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let options = cluster.options();
    let server = serve(options.connect_timeout(Duration::from_millis(300))).await;
    let mut client = server.client("ada").await;
    cluster.crash();
    let id = client.send_message_as("once", None, "- 2").await;
    let ack = client.expect("ack").await;
    assert_eq!(ack["ack_id"], id);
    assert_eq!(ack["ok"], false);
    assert_eq!(ack["error"]["code"], "OVERLOADED");
    assert!(ack["error"]["retry_after_ms"].as_u64().unwrap() > 0);
    let message = ack["error"]["message"].as_str().unwrap();
    assert!(!message.contains("127.0.0.1"), "{message}");

    cluster.restart();
    wait_ready(&server).await;
    let id = client.send_message_as("once", None, "- 2").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let thread_id = frames[0]["payload"]["thread"]["id"].as_str().unwrap();
    assert_eq!(answers(&mut client, thread_id).await, numbers(2));
    server.close([client]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_waits_for_a_database_that_starts_later() {
    let Some(mut cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    cluster.stop();
    let serving = tokio::spawn(serve(patient_options(&cluster)));
    cluster.restart();
    let server = serving.await.unwrap();
    wait_ready(&server).await;
    let mut client = server.client("ada").await;
    client.start_thread("- 1").await;
    server.close([client]).await;
}

/// Several clients write while the database fails after each answer. Every message is stored once and is answered
/// completely.
async fn check_under_load(mut cluster: Cluster, mut suffer: impl AsyncFnMut(&mut Cluster, usize)) {
    let server = serve(patient_options(&cluster)).await;
    let (ended, mut turns) = mpsc::channel(MEMBERS * MESSAGES);
    let mut members = Vec::new();
    for member in 0..MEMBERS {
        let mut client = server.client(&*format!("member-{member}")).await;
        let ended = ended.clone();
        members.push(tokio::spawn(async move {
            let thread_id = client.start_thread("- 3").await;
            for number in 1..MESSAGES {
                let own_id = format!("{member}-{number}");
                let id = client
                    .send_message_as(&own_id, Some(&thread_id), "- 3")
                    .await;
                client.expect_ack(&id).await;
                client.read_turn().await;
                ended.send(()).await.unwrap();
            }
            (client, thread_id)
        }));
    }
    drop(ended);
    let mut answers = 0;
    while turns.recv().await.is_some() {
        answers += 1;
        suffer(&mut cluster, answers).await;
    }
    let mut clients = Vec::new();
    for member in members {
        let (mut client, thread_id) = member.await.unwrap();
        let stored = events(&mut client, &thread_id).await;
        let turn = [
            ("user", "- 3"),
            ("assistant", "1"),
            ("assistant", "2"),
            ("assistant", "3"),
        ];
        assert_eq!(speakers_and_texts(&stored), turn.repeat(MESSAGES));
        clients.push(client);
    }
    wait_ready(&server).await;
    server.close(clients).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_with_killed_connections_loses_nothing() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let mut killed = 0;
    let kill = async |cluster: &mut Cluster, _| {
        killed += kill_connections(&cluster.url(), NAME, 1).await;
    };
    check_under_load(cluster, kill).await;
    assert!(killed > MEMBERS * MESSAGES / 2, "{killed} were killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn database_crashes_lose_no_acked_message() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let mut crashes = 0;
    let crash = async |cluster: &mut Cluster, answers| {
        if answers % (MEMBERS * MESSAGES / 4) == 0 {
            cluster.crash();
            cluster.restart();
            crashes += 1;
        }
    };
    check_under_load(cluster, crash).await;
    assert!(crashes > 2, "{crashes}");
}
