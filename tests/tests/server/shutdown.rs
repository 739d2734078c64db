//! Shutdown of a program, regardless of its clients and handlers.
//!
//! Each test stops a process. It must stop within the drain time plus 3 s. The tests wait longer, as the machine
//! may be busy.
#![cfg(unix)]

use dooers_tests::{Client, Process, RemoteHandler, RemoteHandlers, TIMEOUT, within};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A server with this drain time in seconds.
fn serve(drain: &str) -> Process {
    let variables = [
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_DATABASE_TYPE", "memory"),
        ("WORKER_DRAIN_TIMEOUT", drain),
        // One of the two threads may be blocked.
        ("TOKIO_WORKER_THREADS", "2"),
    ];
    Process::start("remote-handlers", &variables)
}

/// A client, and the handler that answers its first message.
async fn start_handler(program: &mut Process, calls: &RemoteHandlers) -> (Client, RemoteHandler) {
    let mut client = Client::open(program.address(), "/ws").await;
    client.connect("ada").await;
    let id = client.send_message(None, &calls.message("hello")).await;
    client.expect_ack(&id).await;
    (client, calls.next().await)
}

#[tokio::test]
async fn stop_does_not_wait_for_unfinished_requests() {
    let mut program = serve("3600");
    let address = program.address();
    let mut connections = Vec::new();
    for beginning in ["", "GET /", "GET /healthz HTTP/1.1\r\nHost: "] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        connections.push(stream);
    }
    // This connection was accepted after the others.
    let mut client = Client::open(address, "/ws").await;
    client.connect("ada").await;
    program.terminate();
    assert_eq!(client.expect_close().await, 1001);
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(0), "{errors}");
    for mut stream in connections {
        let mut rest = Vec::new();
        let read = within("the end", stream.read_to_end(&mut rest)).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{rest:?}");
    }
}

#[tokio::test]
async fn stop_does_not_wait_for_answers_to_forms() {
    // The drain time is longer than the test may take.
    let mut program = serve("3600");
    let calls = RemoteHandlers::listen().await;
    let (mut client, mut handler) = start_handler(&mut program, &calls).await;
    handler.command("ask").await;
    let is_form = |frame: &serde_json::Value| frame["payload"]["events"][0]["type"] == "form";
    client.read_until("a form", is_form).await;
    program.terminate();
    assert_eq!(client.expect_close().await, 1001);
    assert_eq!(handler.outcome().await, "");
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(0), "{errors}");
}

#[tokio::test]
async fn stop_drains_turns_beside_a_reader_that_stopped() {
    let mut program = serve("3600");
    let calls = RemoteHandlers::listen().await;
    let (mut client, mut handler) = start_handler(&mut program, &calls).await;
    let thread = client.expect("thread.upsert").await;
    let thread_id = thread["thread"]["id"].as_str().unwrap();
    for _ in 0..50 {
        handler.command("long 60000").await;
        assert_eq!(handler.outcome().await, "stored");
    }
    handler.end().await;
    client.read_turn().await;
    let id = client
        .send_message(Some(thread_id), &calls.message("more"))
        .await;
    client.expect_ack(&id).await;
    let mut handler = calls.next().await;
    // More than the socket buffers hold.
    for _ in 0..10 {
        let subscribe = json!({"thread_id": thread_id});
        client.send("thread.subscribe", subscribe).await;
    }
    let mut polite = Client::open(client.address(), "/ws").await;
    polite.connect("bob").await;
    program.terminate();
    program.wait_for_line("Stopping once 1 running turns have ended");
    assert_eq!(polite.expect_close().await, 1001);
    handler.say("still here").await;
    assert_eq!(handler.outcome().await, "stored");
    handler.end().await;
    // The stall time of the reader is 30 s.
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(0), "{errors}");
    drop(client);
}

#[tokio::test]
async fn stop_ends_a_process_whose_handler_blocks() {
    let mut program = serve("0.1");
    let calls = RemoteHandlers::listen().await;
    let (mut client, mut handler) = start_handler(&mut program, &calls).await;
    handler.command("block").await;
    assert_eq!(handler.outcome().await, "blocks");
    client.expect("thread.upsert").await;
    program.terminate();
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(1), "{errors}");
}

/// A program whose runtime threads are all blocked by handlers.
async fn blocked_program(drain: &str) -> (Process, Vec<(RemoteHandler, Client)>) {
    let mut program = serve(drain);
    let calls = RemoteHandlers::listen().await;
    let mut handlers = Vec::new();
    let address = program.address();
    for _ in 0..2 {
        let mut client = Client::open(address, "/ws").await;
        client.connect("ada").await;
        let id = client.send_message(None, &calls.message("hello")).await;
        client.expect_ack(&id).await;
        handlers.push((calls.next().await, client));
    }
    for (handler, _) in &mut handlers {
        handler.command("block").await;
    }
    // One thread may have started both handlers and be blocked by the first.
    let (one, other) = handlers.split_at_mut(1);
    tokio::select! {
        said = one[0].0.outcome() => assert_eq!(said, "blocks"),
        said = other[0].0.outcome() => assert_eq!(said, "blocks"),
    }
    (program, handlers)
}

#[tokio::test]
async fn stop_ends_a_process_whose_threads_block() {
    let (program, _handlers) = blocked_program("0.1").await;
    program.terminate();
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(1), "{errors}");
}

#[tokio::test]
async fn second_signal_ends_a_process_whose_threads_block() {
    let (program, _handlers) = blocked_program("3600").await;
    program.terminate();
    // A different signal, as two identical signals may be merged into one.
    program.signal("INT");
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(130), "{errors}");
}

#[tokio::test]
async fn second_signal_ends_a_program_after_serve() {
    let mut program = serve("3600");
    let calls = RemoteHandlers::listen().await;
    let (_client, mut handler) = start_handler(&mut program, &calls).await;
    handler.command("leave").await;
    assert_eq!(handler.outcome().await, "left");
    program.terminate();
    // From here on the runtime waits for the thread that the handler left blocked.
    program.wait_for_line("It has stopped.");
    program.signal("INT");
    let (status, _, errors) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, Some(130), "{errors}");
}

/// A database that accepts connections and answers nothing.
async fn unresponsive_database() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://me@{}/mine", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn first_signal_ends_a_program_that_starts() {
    let (database, url) = unresponsive_database().await;
    let variables = [("WORKER_BIND", "127.0.0.1:0"), ("DATABASE_URL", &url)];
    let program = Process::start("remote-handlers", &variables);
    let _connection = within("the start", database.accept()).await.unwrap();
    program.terminate();
    let (status, _, _) = program.wait_timeout(TIMEOUT);
    assert_eq!(status, None, "the signal's default action ends the process");
}

#[tokio::test]
async fn close_does_not_wait_for_a_start() {
    let (database, url) = unresponsive_database().await;
    let options = dooers::store::PostgresOptions::from_url(&url).unwrap();
    let options = options.connect_timeout(std::time::Duration::from_secs(3600));
    let config = dooers::WorkerConfig::new().database(dooers::Database::Postgres(options));
    let server = dooers::WorkerServer::new(config).agent::<crate::agents::quiet>();
    let starting = tokio::spawn({
        let server = server.clone();
        async move { server.router::<()>().await }
    });
    let _connection = within("the start", database.accept()).await.unwrap();
    within("the server to close", server.close()).await;
    let started = within("the start to end", starting).await.unwrap();
    assert!(matches!(started, Err(dooers::ServerError::Closed)));
}

#[tokio::test]
async fn close_ends_a_program_that_serves() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let config = dooers_tests::in_memory().bind(address);
    let server = dooers::WorkerServer::new(config).agent::<crate::agents::quiet>();
    let serving = tokio::spawn(server.clone().serve());
    server.repository().await.unwrap();
    server.close().await;
    within("serve to return", serving).await.unwrap().unwrap();
}
