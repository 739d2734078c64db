//! Shutdown of a program by a signal.

use dooers_tests::{Client, Process};

/// Starts a program, a client and a turn that sleeps, and then sends the stop signal.
async fn stopping(milliseconds: u32) -> (Process, Client) {
    let mut load = Process::start("example-load", &[("WORKER_BIND", "127.0.0.1:0")]);
    let mut client = Client::open(load.address(), "/ws").await;
    client.connect("ada").await;
    let id = client
        .send_message(None, &format!("sleep {milliseconds}"))
        .await;
    client.expect_ack(&id).await;
    client
        .read_until("the run", |frame| frame["type"] == "run.upsert")
        .await;
    load.terminate();
    assert_eq!(client.expect_close().await, 1001);
    (load, client)
}

#[tokio::test]
async fn stop_signal_lets_running_turns_finish() {
    let (load, client) = stopping(300).await;
    client.disconnect().await;
    let (status, output, errors) = load.wait();
    assert_eq!(status, Some(0), "{errors}");
    assert!(
        output.contains("Stopping once 1 running turns have ended"),
        "{output}"
    );
}

#[tokio::test]
async fn second_signal_stops_at_once() {
    let (mut load, client) = stopping(3_600_000).await;
    client.disconnect().await;
    load.wait_for_line("Stopping once 1 running turns have ended");
    load.terminate();
    let (status, _, errors) = load.wait();
    assert_eq!(status, Some(130), "{errors}");
}
