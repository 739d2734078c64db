//! Shutdown of a program while its database is stopped or frozen.
//!
//! The program must stop within the drain time plus 3 s. The tests wait longer, as the machine may be busy.

use crate::history::{events, speakers_and_texts};
use dooers_tests::postgres::{Cluster, ClusterOptions, dedicated};
use dooers_tests::{Client, Process, RemoteHandler, RemoteHandlers, TIMEOUT};

/// A server with a drain time of half a second.
fn serve(cluster: &Cluster) -> Process {
    let variables = [
        ("DATABASE_URL", cluster.url()),
        ("WORKER_BIND", "127.0.0.1:0".to_owned()),
        ("WORKER_DRAIN_TIMEOUT", "0.5".to_owned()),
        ("WORKER_LEASE", "1".to_owned()),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    Process::start("remote-handlers", &variables)
}

/// A client, its thread, and the handler that answers its first message.
async fn start_handler(
    program: &mut Process,
    calls: &RemoteHandlers,
) -> (Client, String, RemoteHandler) {
    let mut client = Client::open(program.address(), "/ws").await;
    client.connect("ada").await;
    let id = client.send_message(None, &calls.message("hello")).await;
    client.expect_ack(&id).await;
    let thread = client.expect("thread.upsert").await;
    let thread_id = thread["thread"]["id"].as_str().unwrap().to_owned();
    (client, thread_id, calls.next().await)
}

/// Checks that the program stops in time, and that the next one has every acknowledged message exactly once.
async fn check_stop(lose: fn(&mut Cluster), find: fn(&mut Cluster)) {
    let Some(mut cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let mut program = serve(&cluster);
    let calls = RemoteHandlers::listen().await;
    let (mut client, thread_id, mut handler) = start_handler(&mut program, &calls).await;
    handler.say("one").await;
    assert_eq!(handler.outcome().await, "stored");

    lose(&mut cluster);
    // Both wait for the database.
    handler.say("two").await;
    client
        .send_message(Some(&thread_id), "never acknowledged")
        .await;
    program.terminate();
    program.wait_for_line("Stopping once 1 running turns have ended");
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(0), "{errors}");

    find(&mut cluster);
    let mut program = serve(&cluster);
    let mut client = Client::open(program.address(), "/ws").await;
    client.connect("ada").await;
    client.subscribe(&thread_id).await;
    // At the start or, at the latest, when the lease expires.
    let is_over =
        |stored: &[serde_json::Value]| stored.iter().any(|event| event["actor"] == "system");
    let mut stored = events(&mut client, &thread_id).await;
    while !is_over(&stored) {
        stored = events(&mut client, &thread_id).await;
    }
    let message = calls.message("hello");
    let said = speakers_and_texts(&stored);
    assert_eq!(
        said[..2],
        [("user", message.as_str()), ("assistant", "one")]
    );
    for text in ["one", "two", "never acknowledged"] {
        let times = said.iter().filter(|(_, said)| *said == text).count();
        assert!(times <= 1, "{text} is there {times} times");
    }
    program.terminate();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_does_not_wait_for_a_frozen_database() {
    check_stop(|cluster| cluster.freeze(), |cluster| cluster.thaw()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_does_not_wait_for_a_stopped_database() {
    check_stop(Cluster::crash, Cluster::restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_of_an_idle_server_ignores_a_frozen_database() {
    let Some(cluster) = dedicated(ClusterOptions::default()) else {
        return;
    };
    let mut program = serve(&cluster);
    let mut client = Client::open(program.address(), "/ws").await;
    client.connect("ada").await;
    cluster.freeze();
    program.terminate();
    assert_eq!(client.expect_close().await, 1001);
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(0), "{errors}");
}
