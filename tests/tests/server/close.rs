//! Closing a server.

use crate::agents::{quiet, script};
use crate::asserts::{events, string, texts};
use dooers::protocol::{Actor, RunStatus};
use dooers::store::{
    MemoryStore, Scope, Snapshot, SnapshotFrom, SqliteOptions, SqliteStore, Store,
};
use dooers::{ServerError, WorkerServer};
use dooers_tests::{Server, gate, within};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn close_drains_running_turn_and_keeps_queued_turn() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut known = server.client("ada").await;
    let mut unknown = server.open().await;
    let id = known
        .send_message(None, "stored one\nwait closing-a\nsay two")
        .await;
    known.expect_ack(&id).await;
    let created = known.expect("thread.upsert").await;
    let thread_id = string(&created["thread"]["id"]);
    gate::arrived("closing-a").await;
    // The second message is queued behind the first.
    let id = known.send_message(Some(&thread_id), "say three").await;
    known
        .read_until("the ack", |frame| frame["payload"]["ack_id"] == id.as_str())
        .await;

    let closing = server.begin_close();
    assert_eq!(known.expect_close().await, 1001);
    assert_eq!(unknown.expect_close().await, 1001);
    assert!(!closing.is_finished());
    gate::open("closing-a");
    within("the server to close", closing).await.unwrap();
    server.close([]).await;

    let stored = stored(&store, &thread_id).await;
    let mut expected = vec![
        "stored one\nwait closing-a\nsay two",
        "one",
        "say three",
        "two",
    ];
    let stored_events: Vec<_> = stored.events.iter().map(|event| json!(event)).collect();
    assert_eq!(texts(&stored_events), expected);
    assert_eq!(stored.runs[0].status, RunStatus::Succeeded);

    let server = Server::with::<script>(|config| config.store(store)).await;
    let mut again = server.client("ada").await;
    let mut shown = events(&again.subscribe(&thread_id).await);
    while shown.len() < 5 {
        let frame = again.next().await;
        shown.extend(crate::asserts::appended(&[frame]));
    }
    expected.push("three");
    assert_eq!(texts(&shown), expected);
    server.close([again]).await;
}

#[tokio::test]
async fn pending_frames_are_sent_before_the_session_closes() {
    let worker = WorkerServer::new(dooers_tests::in_memory()).agent::<script>();
    let server = Server::start_with_small_buffers(worker).await;
    let mut watching = server.client("bob").await;
    let mut slow = server.client_with_small_buffer("ada").await;
    let id = slow.send_message(None, "large 40 20000").await;
    // The client receives the thread row at the start and at the end of the turn.
    for _ in 0..2 {
        watching.expect("thread.upsert").await;
    }
    let closing = server.begin_close();
    assert_eq!(watching.expect_close().await, 1001);
    slow.expect_ack(&id).await;
    let frames = slow.read_turn().await;
    assert_eq!(crate::asserts::appended(&frames).len(), 41);
    assert_eq!(slow.expect_close().await, 1001);
    within("the server to close", closing).await.unwrap();
    server.close([watching, slow]).await;
}

#[tokio::test]
async fn turn_over_the_drain_time_is_interrupted() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::with::<script>(|config| {
        config
            .store(Arc::clone(&store) as _)
            .drain_timeout(Duration::from_millis(50))
    })
    .await;
    let mut client = server.client("ada").await;
    let id = client
        .send_message(None, "stored one\nwait closing-never")
        .await;
    client.expect_ack(&id).await;
    let created = client.expect("thread.upsert").await;
    let thread_id = string(&created["thread"]["id"]);
    gate::arrived("closing-never").await;
    let id = client.send_message(Some(&thread_id), "say two").await;
    client
        .read_until("the ack", |frame| frame["payload"]["ack_id"] == id.as_str())
        .await;
    server.close([client]).await;
    let stored = stored(&store, &thread_id).await;
    assert_eq!(stored.runs[0].status, RunStatus::Failed);
    assert_eq!(stored.runs[0].error.as_deref(), Some("interrupted"));
    assert_eq!(stored.events[3].actor, Actor::System);

    let server = Server::with::<script>(|config| config.store(store)).await;
    let mut again = server.client("ada").await;
    let is_second = |event: &serde_json::Value| event["content"][0]["text"] == "two";
    let mut shown = events(&again.subscribe(&thread_id).await);
    while !shown.iter().any(is_second) {
        let frame = again.next().await;
        shown.extend(crate::asserts::appended(&[frame]));
    }
    assert_eq!(
        texts(&shown)[..3],
        ["stored one\nwait closing-never", "one", "say two"]
    );
    assert_eq!(shown[3]["actor"], "system");
    assert_eq!(crate::asserts::text(&shown[4]), "two");
    again.read_pending().await;
    let snapshot = again.subscribe(&thread_id).await;
    let runs = snapshot["runs"].as_array().unwrap();
    assert_eq!(runs[0]["status"], "failed");
    assert_eq!(runs[0]["error"], "interrupted");
    server.close([again]).await;
}

/// The stored state of a thread of the user `ada`.
async fn stored(store: &MemoryStore, thread_id: &str) -> Snapshot {
    let scope = Scope::new("script", "w1")
        .organization("o1")
        .workspace("s1");
    let newest = SnapshotFrom::Newest;
    store
        .snapshot(&scope, thread_id, &newest, usize::MAX)
        .await
        .unwrap()
}

#[tokio::test]
async fn server_is_healthy_and_ready_until_it_stops() {
    let worker = WorkerServer::new(dooers_tests::in_memory()).agent::<quiet>();
    let router = worker.router().await.unwrap();
    // The router of another HTTP server, which outlives the worker.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let asked = async |path: &str| dooers_tests::get(address, path).await;
    assert_eq!(asked("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(asked("/readyz").await, (200, "ready\n".to_owned()));
    worker.close().await;
    assert_eq!(asked("/healthz").await.0, 200);
    assert_eq!(
        asked("/readyz").await,
        (503, "the server is stopping\n".to_owned())
    );
    serving.abort();
}

#[tokio::test]
async fn server_is_not_ready_when_the_store_does_not_answer() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    let store = Arc::new(SqliteStore::open(options).await.unwrap());
    let server = Server::with::<quiet>(|config| config.store(Arc::clone(&store) as _)).await;
    assert_eq!(server.get("/readyz").await.0, 200);
    store.close().await;
    let (status, text) = server.get("/readyz").await;
    assert_eq!(status, 503);
    assert!(
        text.starts_with("the store does not answer (error "),
        "{text}"
    );
    server.close([]).await;
}

#[tokio::test]
async fn close_is_idempotent_and_needs_no_start() {
    let server = Server::of::<quiet>().await;
    let closing = (server.begin_close(), server.begin_close());
    closing.0.await.unwrap();
    closing.1.await.unwrap();
    server.close([]).await;
    let worker = WorkerServer::new(dooers_tests::in_memory()).agent::<quiet>();
    worker.close().await;
}

#[tokio::test]
async fn client_that_never_closes_does_not_block_close() {
    let server = Server::of::<quiet>().await;
    let silent = server.client("ada").await;
    within("the server to close", server.begin_close())
        .await
        .unwrap();
    drop(silent);
    server.close([]).await;
}

#[tokio::test]
async fn server_closed_before_its_start_never_starts() {
    let store = Arc::new(MemoryStore::new());
    let config = dooers_tests::in_memory().store(Arc::clone(&store) as _);
    let server = WorkerServer::new(config).agent::<quiet>();
    server.close().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    within("serving to end", server.clone().serve_on(listener))
        .await
        .unwrap();
    assert!(matches!(
        server.router::<()>().await,
        Err(ServerError::Closed)
    ));
}

#[tokio::test]
async fn starting_server_is_closed_once_started() {
    let server = WorkerServer::new(dooers_tests::in_memory()).agent::<quiet>();
    let (router, ()) = tokio::join!(server.router::<()>(), server.close());
    // Either outcome is valid. In both cases nothing is running.
    assert!(matches!(router, Ok(_) | Err(ServerError::Closed)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    within("serving to end", server.serve_on(listener))
        .await
        .unwrap();
}
