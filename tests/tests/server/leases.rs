//! Turns that another process takes over. Two servers on one store are two processes to it.

use crate::agents::script;
use crate::seen::{appended, events, string, texts};
use dooers::prelude::*;
use dooers::store::Store;
use dooers_tests::{Client, Server, Watched, gate};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Says when it is dropped, and what becomes of what it sends late.
struct SaysWhenDropped(String);

impl Drop for SaysWhenDropped {
    fn drop(&mut self) {
        gate::arrive(&format!("{}-dropped", self.0));
    }
}

/// Waits at the gate that the message names, and then sends something.
#[dooers::agent]
async fn late(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let key = request.message;
    let _dropped = SaysWhenDropped(key.clone());
    gate::pass(&key).await;
    response.text("late").await?;
    gate::arrive(&format!("{key}-stored"));
    std::future::pending().await
}

fn lease(config: WorkerConfig, store: &Arc<Watched>, milliseconds: u64) -> WorkerConfig {
    let config = config.lease(Duration::from_millis(milliseconds));
    config.store(Arc::clone(store) as Arc<dyn Store>)
}

/// Two servers on one store: one that cannot renew its leases as long as the held call is held, and another one.
async fn pair<A: dooers::Agent>(milliseconds: u64) -> (Arc<Watched>, Server, Server) {
    let inner = Watched::memory();
    let frozen = Watched::over(Arc::clone(&inner) as _);
    let dying = Server::with::<A>(|config| lease(config, &frozen, milliseconds)).await;
    let living = Server::with::<A>(|config| lease(config, &inner, milliseconds)).await;
    (frozen, dying, living)
}

async fn begin(client: &mut Client, text: &str) -> (String, String) {
    let id = client.message(None, text).await;
    client.accepted(&id).await;
    let frames = client
        .until("the run", |frame| frame["type"] == "run.upsert")
        .await;
    let event = &appended(&frames)[0];
    (string(&event["thread_id"]), string(&event["id"]))
}

#[tokio::test]
async fn leases_are_renewed_while_a_handler_works() {
    let store = Watched::memory();
    let server = Server::with::<script>(|config| lease(config, &store, 600)).await;
    let mut client = server.client("ada").await;
    begin(&mut client, "wait lease-a\nsay done").await;
    gate::arrived("lease-a").await;
    // More often than the lease would have held once.
    for _ in 0..6 {
        let mut renewing = store.hold("renew_leases");
        renewing.reached().await;
        renewing.release();
    }
    gate::open("lease-a");
    let frames = client.turn().await;
    assert_eq!(texts(&appended(&frames)), ["done"]);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    server.close([client]).await;
}

#[tokio::test]
async fn a_turn_whose_process_gives_no_sign_is_taken_over_and_what_waits_behind_it_runs() {
    let (frozen, dying, living) = pair::<script>(400).await;
    let mut client = dying.client("ada").await;
    let renewing = frozen.hold("renew_leases");
    let (thread_id, _) = begin(&mut client, "wait lease-b\nsay never").await;
    let id = client.message(Some(&thread_id), "say next").await;
    client
        .until("the ack", |frame| frame["payload"]["ack_id"] == id.as_str())
        .await;
    let mut other = living.client("ada").await;
    let snapshot = other.subscribe(&thread_id).await;
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
    assert!(shown.iter().any(|event| event["actor"] == "system"));
    let failed = runs.iter().find(|run| run["status"] == "failed").unwrap();
    assert_eq!(failed["error"], "interrupted");
    renewing.release();
    living.close([other]).await;
    dying.close([client]).await;
}

#[tokio::test]
async fn late_writes_are_refused_and_their_handler_is_dropped() {
    let (frozen, dying, living) = pair::<late>(400).await;
    let mut client = dying.client("ada").await;
    let renewing = frozen.hold("renew_leases");
    let (thread_id, _) = begin(&mut client, "lease-c").await;
    let mut other = living.client("ada").await;
    let snapshot = other.subscribe(&thread_id).await;
    if snapshot["runs"][0]["status"] == "running" {
        let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "failed";
        other.until("the take-over", is_end).await;
    }
    // The handler goes on, as it does not know yet, and writes.
    gate::open("lease-c");
    gate::arrived("lease-c-dropped").await;
    assert_eq!(gate::waiting("lease-c-stored"), 0);
    let snapshot = other.subscribe(&thread_id).await;
    assert_eq!(
        texts(&events(&snapshot)).len(),
        2,
        "the message, and that it was interrupted"
    );
    renewing.release();
    living.close([other]).await;
    dying.close([client]).await;
}

#[tokio::test]
async fn a_process_that_comes_back_drops_the_handlers_that_it_has_lost() {
    let (frozen, dying, living) = pair::<late>(400).await;
    let mut client = dying.client("ada").await;
    let mut renewing = frozen.hold("renew_leases");
    let (thread_id, _) = begin(&mut client, "lease-d").await;
    gate::arrived("lease-d").await;
    renewing.reached().await;
    let mut other = living.client("ada").await;
    let snapshot = other.subscribe(&thread_id).await;
    if snapshot["runs"][0]["status"] == "running" {
        let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "failed";
        other.until("the take-over", is_end).await;
    }
    // The answer that was held says that the turn was its own; the next one does not. It never writes.
    renewing.release();
    gate::arrived("lease-d-dropped").await;
    let payload = json!({"thread_id": thread_id});
    let shown = other
        .ask("thread.subscribe", payload, "thread.snapshot")
        .await;
    assert_eq!(shown["runs"][0]["error"], "interrupted");
    living.close([other]).await;
    dying.close([client]).await;
}
