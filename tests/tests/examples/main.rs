//! The programs in `examples/`, started as by a user and tested over real sockets.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod analytics;
mod anthropic;
mod approval;
mod auth;
mod dispatch;
mod logs;
mod openai;
mod readme;
mod settings;
mod shutdown;
mod streaming;
mod tools;
mod turns;

/// Tests that need PostgreSQL. `tests/run` selects them by this name.
mod on_postgres {
    mod cluster;
}

use dooers_tests::{Client, Process};
use serde_json::json;
use std::net::TcpListener;

#[tokio::test]
async fn echo_answers_and_stops_on_a_signal() {
    let mut echo = Process::start("example-echo", &[("WORKER_BIND", "localhost:0")]);
    let address = echo.address();
    // The address of the page is the first one.
    let expected = format!("dooers serves echo on\n  http://{address}\n  ws://{address}/ws\n");
    assert!(echo.printed().ends_with(&expected), "{}", echo.printed());
    let mut client = Client::open(address, "/ws").await;
    client.connect("ada").await;
    let id = client.send_message(None, "hello").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    assert_eq!(
        frames[3]["payload"]["events"][0]["content"][0]["text"],
        "You said: hello"
    );

    echo.terminate();
    assert_eq!(client.expect_close().await, 1001);
    client.disconnect().await;
    let (status, _, errors) = echo.wait();
    assert_eq!(status, Some(0), "{errors}");
    assert_eq!(errors, "");
}

#[tokio::test]
async fn testing_example_answers_over_a_socket() {
    let mut example = Process::start("example-testing", &[("WORKER_BIND", "127.0.0.1:0")]);
    let mut client = Client::open(example.address(), "/ws").await;
    client.connect("ada").await;
    let id = client.send_message(None, "printers").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let answered = frames.iter().any(|frame| {
        let text = &frame["payload"]["events"][0]["content"][0]["text"];
        *text == "You ask about this: printers. Let me find out."
    });
    assert!(answered, "{frames:?}");
    client.disconnect().await;
    example.terminate();
    assert_eq!(example.wait().0, Some(0));
}

#[tokio::test]
async fn conversation_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("worker.db");
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_DATABASE_NAME", file.to_str().unwrap()),
    ];
    let mut echo = Process::start("example-echo", &variables);
    let mut client = Client::open(echo.address(), "/ws").await;
    client.connect("ada").await;
    let id = client.send_message(None, "hello").await;
    client.expect_ack(&id).await;
    let published = client.read_turn().await;
    let thread_id = published[0]["payload"]["thread"]["id"].as_str().unwrap();
    echo.terminate();
    assert_eq!(client.expect_close().await, 1001);
    client.disconnect().await;
    assert_eq!(echo.wait().0, Some(0));

    let mut echo = Process::start("example-echo", &variables);
    let mut client = Client::open(echo.address(), "/ws").await;
    client.connect("ada").await;
    client
        .send("thread.subscribe", json!({"thread_id": thread_id}))
        .await;
    let snapshot = client.expect("thread.snapshot").await;
    let events = snapshot["events"].as_array().unwrap();
    let texts: Vec<_> = events
        .iter()
        .map(|event| event["content"][0]["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["hello", "You said: hello"]);
    assert_eq!(snapshot["runs"][0]["status"], "succeeded");
    client.disconnect().await;
    echo.terminate();
    assert_eq!(echo.wait().0, Some(0));
}

#[tokio::test]
async fn taken_port_prints_one_line_and_exits_with_1() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let echo = Process::start("example-echo", &[("WORKER_BIND", &address)]);
    let (status, output, errors) = echo.wait();
    assert_eq!(status, Some(1), "{errors}");
    assert_eq!(output, "");
    let expected = format!(
        "cannot listen on {address}: another program listens there; stop it, or set WORKER_BIND"
    );
    assert!(errors.contains(&expected), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

#[tokio::test]
async fn bad_variable_prints_one_line_and_exits_with_1() {
    for (variable, value) in [
        ("WORKER_BIND", "8000"),
        ("WORKER_PRIVATE_THREADS", "maybe"),
        ("WORKER_MAX_FRAME_BYTES", "-1"),
        ("WORKER_PING_INTERVAL", "soon"),
    ] {
        let echo = Process::start("example-echo", &[(variable, value)]);
        let (status, output, errors) = echo.wait();
        assert_eq!(status, Some(1), "{errors}");
        assert_eq!(output, "");
        assert!(
            errors.contains(&format!("{variable} is `{value}`; it must be")),
            "{errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
}
