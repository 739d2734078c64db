//! A program that is told to stop.

use dooers_tests::{Client, Program};

/// A client whose turn sleeps, of a program that is told to stop.
async fn stopping(milliseconds: u32) -> (Program, Client) {
    let mut load = Program::start("example-load", &[("WORKER_BIND", "127.0.0.1:0")]);
    let mut client = Client::open(load.address(), "/ws").await;
    client.connect("ada").await;
    let id = client.message(None, &format!("sleep {milliseconds}")).await;
    client.accepted(&id).await;
    client
        .until("the run", |frame| frame["type"] == "run.upsert")
        .await;
    load.terminate();
    assert_eq!(client.closed().await, 1001);
    (load, client)
}

#[tokio::test]
async fn a_program_that_is_told_to_stop_lets_its_turns_finish() {
    let (load, client) = stopping(300).await;
    client.leave().await;
    let (status, output, errors) = load.ended();
    assert_eq!(status, Some(0), "{errors}");
    assert!(
        output.contains("Stopping once 1 running turns have ended"),
        "{output}"
    );
}

#[tokio::test]
async fn a_second_signal_stops_it_at_once() {
    let (mut load, client) = stopping(3_600_000).await;
    client.leave().await;
    load.says("Stopping once 1 running turns have ended");
    load.terminate();
    let (status, _, errors) = load.ended();
    assert_eq!(status, Some(130), "{errors}");
}
