//! Takeover of turns by another process. Two servers on one store act as two processes.

use crate::agents::script;
use crate::asserts::{appended, events, string, text, texts};
use crate::log::Log;
use dooers::prelude::*;
use dooers::store::Store;
use dooers_tests::{Client, Server, SpyStore, gate};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Reports that it was dropped, and the outcome of a late write.
struct NotifyOnDrop(String);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        gate::arrive(&format!("{}-dropped", self.0));
    }
}

/// Waits at the gate that the message names, and then sends a text.
#[dooers::agent]
async fn late(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let key = request.message;
    let _dropped = NotifyOnDrop(key.clone());
    gate::pass(&key).await;
    response.text("late").await?;
    gate::arrive(&format!("{key}-stored"));
    std::future::pending().await
}

fn lease(config: WorkerConfig, store: &Arc<SpyStore>, milliseconds: u64) -> WorkerConfig {
    let config = config.lease(Duration::from_millis(milliseconds));
    config.store(Arc::clone(store) as Arc<dyn Store>)
}

/// A server on a shared store, which acts as a separate process.
async fn process<A: dooers::Agent>(store: &Arc<SpyStore>, milliseconds: u64) -> Server {
    Server::with::<A>(|config| lease(config, store, milliseconds)).await
}

/// A server on its own runtime. Dropping the runtime kills it.
async fn mortal<A: dooers::Agent>(store: &Arc<SpyStore>, milliseconds: u64) -> (Runtime, Server) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let store = Arc::clone(store);
    let starting = runtime.spawn(async move { process::<A>(&store, milliseconds).await });
    let server = starting.await.unwrap();
    (runtime, server)
}

async fn begin(client: &mut Client, text: &str) -> (String, String) {
    let id = client.send_message(None, text).await;
    client.expect_ack(&id).await;
    let frames = client
        .read_until("the run", |frame| frame["type"] == "run.upsert")
        .await;
    let event = &appended(&frames)[0];
    (string(&event["thread_id"]), string(&event["id"]))
}

#[tokio::test]
async fn leases_are_renewed_while_a_handler_works() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| lease(config, &store, 600)).await;
    let mut client = server.client("ada").await;
    begin(&mut client, "wait lease-a\nsay done").await;
    gate::arrived("lease-a").await;
    // More renewals than a single lease would need.
    for _ in 0..6 {
        let mut renewing = store.hold("renew_leases");
        renewing.reached().await;
        renewing.release();
    }
    gate::open("lease-a");
    let frames = client.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["done"]);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    server.close([client]).await;
}

#[tokio::test]
async fn turn_and_queue_of_a_dead_process_are_taken_over() {
    let store = SpyStore::memory();
    let (runtime, dying) = mortal::<script>(&store, 400).await;
    let living = process::<script>(&store, 400).await;
    let mut client = dying.client("ada").await;
    let (thread_id, _) = begin(&mut client, "wait lease-b\nsay never").await;
    let id = client.send_message(Some(&thread_id), "say next").await;
    client
        .read_until("the ack", |frame| frame["payload"]["ack_id"] == id.as_str())
        .await;
    let mut other = living.client("ada").await;
    let snapshot = other.subscribe(&thread_id).await;
    assert_eq!(snapshot["runs"][0]["status"], "running");
    let (log, _logging) = Log::capture(tracing::Level::WARN);
    runtime.shutdown_background();
    let mut shown = events(&snapshot);
    let mut runs: Vec<Value> = Vec::new();
    while !shown
        .iter()
        .any(|event| event["content"][0]["text"] == "next")
    {
        let frame = other.next().await;
        if frame["type"] == "run.upsert" {
            runs.push(frame["payload"]["run"].clone());
        }
        shown.extend(appended(&[frame]));
    }
    let failed = runs.iter().find(|run| run["status"] == "failed").unwrap();
    assert_eq!(failed["error"], "interrupted");
    let id = string(&failed["event_id"]);
    let reported = shown.iter().find(|event| event["actor"] == "system");
    assert!(text(reported.unwrap()).ends_with(&format!("(error {id})")));
    assert!(log.text().contains(&id), "{}", log.text());
    living.close([other]).await;
}

/// Starts a text with the number of the attempt and leaves it open. Finishes only at the second attempt.
#[dooers::agent(retry = 1)]
async fn persistent(request: WorkerRequest, response: WorkerResponse) {
    let text = response.text_stream();
    text.push(format!("attempt {}", request.attempt()));
    if request.attempt() == 1 {
        gate::pass(&request.message).await;
    }
}

#[tokio::test]
async fn lost_attempt_is_retried_in_the_same_run() {
    let store = SpyStore::memory();
    let (runtime, dying) = mortal::<persistent>(&store, 400).await;
    let living = process::<persistent>(&store, 400).await;
    let mut client = dying.client("ada").await;
    let (thread_id, _) = begin(&mut client, "lease-f").await;
    client.expect("event.append").await;
    let mut other = living.client("ada").await;
    let snapshot = other.subscribe(&thread_id).await;
    let run = snapshot["runs"][0].clone();
    assert_eq!(run["status"], "running");
    runtime.shutdown_background();
    let frames = other.read_turn().await;
    let ended = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(ended["status"], "succeeded");
    for member in ["id", "started_at"] {
        assert_eq!(ended[member], run[member]);
    }
    let shown = events(&other.subscribe(&thread_id).await);
    // The unstored part of the first attempt is lost, and its text has ended.
    assert_eq!(texts(&shown), ["lease-f", "", "attempt 2"]);
    assert!(shown[1..].iter().all(|event| event["finalized"] == true));
    living.close([other]).await;
}

#[tokio::test]
async fn late_writes_are_rejected_and_handler_is_dropped() {
    let store = SpyStore::memory();
    // The lease is renewed so rarely that only a write can reveal the takeover.
    let dying = process::<late>(&store, 3_600_000).await;
    let mut client = dying.client("ada").await;
    let (thread_id, _) = begin(&mut client, "lease-c").await;
    gate::arrived("lease-c").await;
    // A starting process takes over all running turns.
    let living = process::<late>(&store, 3_600_000).await;
    let mut other = living.client("ada").await;
    let snapshot = other.subscribe(&thread_id).await;
    assert_eq!(snapshot["runs"][0]["error"], "interrupted");
    gate::open("lease-c");
    gate::arrived("lease-c-dropped").await;
    assert_eq!(gate::waiting("lease-c-stored"), 0);
    let snapshot = other.subscribe(&thread_id).await;
    assert_eq!(
        texts(&events(&snapshot)).len(),
        2,
        "the message, and that it was interrupted"
    );
    living.close([other]).await;
    dying.close([client]).await;
}

#[tokio::test]
async fn resumed_process_drops_its_lost_handlers() {
    let store = SpyStore::memory();
    let dying = process::<late>(&store, 600).await;
    let mut client = dying.client("ada").await;
    let (thread_id, _) = begin(&mut client, "lease-d").await;
    gate::arrived("lease-d").await;
    let living = process::<late>(&store, 600).await;
    let mut other = living.client("ada").await;
    // The next renewal reports that the turn is lost. The handler never writes.
    gate::arrived("lease-d-dropped").await;
    let shown = other.subscribe(&thread_id).await;
    assert_eq!(shown["runs"][0]["error"], "interrupted");
    assert_eq!(texts(&events(&shown)).len(), 2);
    living.close([other]).await;
    dying.close([client]).await;
}

#[tokio::test]
async fn handlers_are_dropped_when_renewal_times_out() {
    let store = SpyStore::memory();
    let server = process::<late>(&store, 400).await;
    let mut client = server.client("ada").await;
    let renewing = store.hold("renew_leases");
    begin(&mut client, "lease-e").await;
    gate::arrived("lease-e").await;
    gate::arrived("lease-e-dropped").await;
    // No other process has taken over the turn, so it is ended here.
    let frames = client.read_turn().await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["error"],
        "interrupted"
    );
    renewing.release();
    server.close([client]).await;
}

#[tokio::test]
async fn takeover_does_not_publish_an_older_row() {
    let store = SpyStore::memory();
    let (runtime, dying) = mortal::<script>(&store, 400).await;
    let living = process::<script>(&store, 400).await;
    let mut ada = dying.client("ada").await;
    let mut bob = living.client("bob").await;
    let (thread_id, _) = begin(&mut ada, "wait lease-g").await;
    let mut eve = living.client("eve").await;
    runtime.shutdown_background();

    // The turn was taken over in the store, but the changes are not published yet.
    let held = loop {
        let mut held = store.hold("expire_leases");
        held.reached().await;
        let snapshot = eve.subscribe(&thread_id).await;
        eve.send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
            .await;
        if snapshot["runs"][0]["status"] == "failed" {
            break held;
        }
        held.release();
    };
    // A newer row overtakes the row of the takeover. The thread then has no subscribers.
    let id = eve.send_message(Some(&thread_id), "say newer").await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
    eve.read_until("the ack", is_ack).await;
    eve.read_turn().await;
    eve.send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    held.release();
    let mut next = store.hold("expire_leases");
    next.reached().await;

    let frames = bob.read_pending().await;
    let rows = frames.iter().filter(|frame| {
        frame["type"] == "thread.upsert" && frame["payload"]["thread"]["id"] == thread_id.as_str()
    });
    let times: Vec<_> = rows
        .map(|row| string(&row["payload"]["thread"]["last_event_at"]))
        .collect();
    assert!(!times.is_empty(), "{frames:?}");
    assert!(times.is_sorted(), "{times:?}");
    next.release();
    living.close([bob, eve]).await;
}
