//! Serving on the configured address until the program stops the server.

use crate::agents::script;
use dooers::{Database, WorkerConfig, WorkerServer};
use dooers_tests::{Client, gate, in_memory, within};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The name of this machine with a port that is free at the moment.
async fn free_address() -> String {
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    format!("localhost:{}", listener.local_addr().unwrap().port())
}

fn worker(config: WorkerConfig) -> WorkerServer {
    WorkerServer::new(config).agent::<script>()
}

/// Opens a client as soon as a server listens.
async fn open(address: &str) -> Client {
    let connecting = async {
        loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break stream,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let stream = within("the server to listen", connecting).await;
    let address = stream.peer_addr().unwrap();
    let mut client = Client::upgrade(stream, address, "/ws").await;
    client.connect("ada").await;
    client
}

#[tokio::test]
async fn shutdown_drains_running_turns() {
    let address = free_address().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = worker(in_memory().bind(address.as_str()));
    let shutdown = async { drop(stopped.await) };
    let serving = tokio::spawn(server.serve_with_shutdown(shutdown));

    let mut client = open(&address).await;
    client.send_message(None, "wait serving-a\nsay two").await;
    gate::arrived("serving-a").await;
    stop.send(()).unwrap();
    assert_eq!(client.expect_close().await, 1001);
    assert!(!serving.is_finished());
    gate::open("serving-a");
    within("serve to return", serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn close_ends_serve_with_shutdown() {
    let address = free_address().await;
    let server = worker(in_memory().bind(address.as_str()));
    let serving = tokio::spawn(server.clone().serve_with_shutdown(std::future::pending()));
    let mut client = open(&address).await;
    client.send_message(None, "wait serving-b").await;
    gate::arrived("serving-b").await;
    let closing = tokio::spawn(async move { server.close().await });
    assert_eq!(client.expect_close().await, 1001);
    // It returns when the server has stopped, not when it stops accepting.
    assert!(!serving.is_finished());
    gate::open("serving-b");
    within("serve to return", serving).await.unwrap().unwrap();
    closing.await.unwrap();
}

#[tokio::test]
async fn shutdown_aborts_a_start() {
    let database = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://me@{}/mine", database.local_addr().unwrap());
    let options = dooers::store::PostgresOptions::from_url(&url).unwrap();
    let options = options.connect_timeout(Duration::from_secs(3600));
    let config = WorkerConfig::new().database(Database::Postgres(options));
    // The database accepts the connection and never answers.
    let shutdown = async { drop(database.accept().await.unwrap()) };
    let serving = worker(config.bind("localhost:0")).serve_with_shutdown(shutdown);
    within("serve to return", serving).await.unwrap();
}

#[tokio::test]
async fn serve_error_ends_without_shutdown() {
    let other = TcpListener::bind("localhost:0").await.unwrap();
    let address = other.local_addr().unwrap();
    for bind in [address.to_string(), format!("localhost:{}", address.port())] {
        let server = worker(in_memory().bind(bind.clone()));
        let serving = server.serve_with_shutdown(std::future::pending());
        let error = within("serve to fail", serving).await.unwrap_err();
        let text = error.to_string();
        let expected = format!("cannot listen on {bind}: another program listens there");
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[tokio::test]
async fn closed_server_does_not_listen() {
    let other = TcpListener::bind("localhost:0").await.unwrap();
    let server = worker(in_memory().bind(other.local_addr().unwrap()));
    server.close().await;
    let serving = server.serve_with_shutdown(std::future::pending());
    within("serve to return", serving).await.unwrap();
}
