//! Servers that share a store, and do not hear each other although each is connected to a bus.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use super::WorkerServer;
use super::tests_of_nodes::{Client, node_of};
use crate::broker::LocalBus;
use crate::handler::AgentDefinition;
use crate::log_capture::CapturedLog;
use crate::store::MemoryStore;
use crate::{WorkerRequest, WorkerResponse};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Two leases, after which a node is silent, and a report.
const SILENT: Duration = Duration::from_secs(75);

/// The time within which a list shows what its node does not hear.
const LATE: Duration = Duration::from_secs(6);

fn agent() -> AgentDefinition {
    AgentDefinition::from_fn("echo", answer)
}

async fn answer(_request: WorkerRequest, response: WorkerResponse) -> crate::Result<()> {
    response.text("hello").await?;
    Ok(())
}

async fn nodes(buses: [&LocalBus; 2]) -> [WorkerServer; 2] {
    let store = Arc::new(MemoryStore::new());
    let nodes = buses.map(|bus| node_of(agent(), &store, bus));
    for node in &nodes {
        node.start().await.unwrap();
    }
    nodes
}

async fn hears_all(node: &WorkerServer) -> bool {
    node.start().await.unwrap().hears_all()
}

/// Starts a thread. Returns its id.
async fn begin(client: &mut Client) -> String {
    client.say(None, "begin").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    let end = client.read_until(is_end).await;
    let thread_id = end["payload"]["run"]["thread_id"].as_str().unwrap();
    thread_id.to_owned()
}

#[tokio::test(start_paused = true)]
async fn lists_of_a_node_that_hears_nothing_are_compared() {
    let (log, _capture) = CapturedLog::start();
    let nodes = nodes([&LocalBus::default(), &LocalBus::default()]).await;
    assert!(hears_all(&nodes[0]).await);
    sleep(SILENT).await;
    assert!(!hears_all(&nodes[0]).await);
    assert!(!hears_all(&nodes[1]).await);
    let text = log.text();
    let warning = "nothing arrives from some of the other nodes; check that all nodes";
    assert_eq!(text.matches(warning).count(), 2, "{text}");

    let mut ada = Client::connect_to(agent(), &nodes[0], "ada").await;
    let mut bob = Client::connect_to(agent(), &nodes[1], "bob").await;
    let thread_id = begin(&mut ada).await;
    let is_row = |frame: &Value| frame["payload"]["thread"]["id"] == *thread_id;
    let row = timeout(LATE, bob.read_until(is_row)).await.unwrap();
    assert_eq!(row["type"], "thread.upsert");
    // The next comparisons find the row unchanged.
    sleep(2 * LATE).await;
    bob.send("ping", json!({})).await;
    assert_eq!(bob.read().await["type"], "pong");

    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    let deleted = timeout(LATE, bob.read()).await.unwrap();
    assert_eq!(deleted["type"], "thread.deleted");
    assert_eq!(deleted["payload"]["thread_id"], *thread_id);
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_that_only_say_that_they_are_alive_are_heard() {
    let (log, _capture) = CapturedLog::start();
    let bus = LocalBus::default();
    let nodes = nodes([&bus, &bus]).await;
    sleep(2 * SILENT).await;
    for node in &nodes {
        assert!(hears_all(node).await);
    }
    assert!(!log.text().contains("nothing arrives"));
    for node in nodes {
        node.close().await;
    }
}
