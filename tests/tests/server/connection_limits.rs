//! Connections that send no complete request, and more connections than the limit.
#![cfg(unix)]

use crate::agents::quiet;
use dooers_tests::{Client, Process, Server, within};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends the beginning of a request and reads until the server ends the connection.
async fn answer_to(stream: &mut TcpStream, beginning: &str) -> String {
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that drops a connection may also reset it.
    let _ = within("the end", stream.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn unfinished_request_is_dropped_in_time() {
    let server = Server::with::<quiet>(|config| {
        config.limits(|limits| limits.request_timeout = Duration::from_millis(100))
    })
    .await;
    // A WebSocket session has no such limit.
    let mut session = server.client("ada").await;
    for beginning in [
        "",
        "GET /",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ",
        "POST /ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let answer = answer_to(&mut stream, beginning).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    // Bytes that keep coming do not extend the time.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let slowly = async {
        while stream.write_all(b"X").await.is_ok() {
            server.get("/healthz").await;
        }
    };
    within("the end of a slow request", slowly).await;
    session.expect_nothing().await;
    server.close([session]).await;
}

#[tokio::test]
async fn answered_request_ends_its_connection() {
    let server = Server::of::<quiet>().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The request asks for keep-alive.
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
    let answer = answer_to(&mut stream, request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    server.close([]).await;
}

#[tokio::test]
async fn connection_above_the_limit_is_rejected() {
    let server =
        Server::with::<quiet>(|config| config.limits(|limits| limits.connections = Some(2))).await;
    let one = server.client("ada").await;
    let mut other = server.client("ada").await;
    let answer = server.try_upgrade("/ws").await;
    assert_eq!(answer.0, 503);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let answer = answer_to(&mut stream, "").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("\r\nRetry-After: "), "{answer}");
    other.expect_nothing().await;
    one.disconnect().await;
    // The slot is free once the server has noticed the disconnect.
    while server.get("/healthz").await.0 != 200 {}
    server.close([other]).await;
}

#[tokio::test]
async fn idle_connections_leave_descriptors_for_the_store() {
    let variables = [("WORKER_BIND", "127.0.0.1:0")];
    let mut program = Process::start_with_files(80, "remote-handlers", &variables);
    let address = program.address();
    let mut silent = Vec::new();
    for _ in 0..90 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    // All connections are accepted. There are places for 16, so the others were closed to make room.
    for stream in &mut silent[..74] {
        let mut answer = Vec::new();
        let _ = within("the end", stream.read_to_end(&mut answer)).await;
        assert_eq!(answer, b"");
    }
    let mut client = Client::open(address, "/ws").await;
    client.connect("ada").await;
    // No listener is at that address, so the turn fails.
    let thread_id = client.start_thread("nobody").await;
    // Several concurrent readers of the file.
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = Client::open(address, "/ws").await;
        client.connect("ada").await;
        clients.push(client);
    }
    for client in &mut clients {
        let payload = serde_json::json!({"thread_id": thread_id});
        client.send("thread.subscribe", payload).await;
    }
    for client in &mut clients {
        client.expect("thread.snapshot").await;
    }
    program.terminate();
    let (status, output, errors) = program.wait_timeout(dooers_tests::TIMEOUT);
    assert_eq!(status, Some(0), "{errors}");
    let closed = format!("{output}{errors}")
        .matches("were closed to make room for new ones")
        .count();
    assert_eq!(closed, 1, "{output}{errors}");
}

#[tokio::test]
async fn connections_wait_while_descriptors_are_exhausted() {
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_DATABASE_TYPE", "memory"),
        // A limit that is never reached: the system runs out of descriptors first.
        ("WORKER_MAX_CONNECTIONS", "1000"),
        ("WORKER_REQUEST_TIMEOUT", "1"),
    ];
    let mut program = Process::start_with_files(48, "remote-handlers", &variables);
    let address = program.address();
    // About 35 connections are accepted. The others wait until these are dropped for being idle. Meanwhile the
    // listener retries ten times per second.
    let mut silent = Vec::new();
    for _ in 0..90 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut client = Client::open(address, "/ws").await;
    client.connect("ada").await;
    client.start_thread("nobody").await;
    for stream in &mut silent {
        let mut answer = Vec::new();
        let _ = within("the end", stream.read_to_end(&mut answer)).await;
        assert_eq!(answer, b"", "none is refused, each is served in its turn");
    }
    program.terminate();
    let (status, output, errors) = program.wait_timeout(dooers_tests::TIMEOUT);
    assert_eq!(status, Some(0), "{errors}");
    let log = format!("{output}{errors}");
    let lines = log.matches("connections cannot be accepted").count();
    assert_eq!(lines, 1, "{log}");
}
