//! Servers that share a store, with a bus that loses, repeats and reorders messages.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use super::broker_kind::BrokerChoice;
use super::local_client::LocalClient;
use super::{Database, WorkerConfig, WorkerServer};
use crate::WorkerRequest;
use crate::broker::{Faults, LocalBus, PlaceKey};
use crate::handler::AgentDefinition;
use crate::store::{MemoryStore, Scope};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const NODES: usize = 3;
const CLIENTS: usize = 2 * NODES;
const THREADS: usize = 3;
const MESSAGES: usize = 12;

/// The number of events of each thread when all messages are answered.
const EVENTS: usize = 2 + 2 * CLIENTS * MESSAGES / THREADS;

fn agent() -> AgentDefinition {
    AgentDefinition::from_fn("echo", async |request: WorkerRequest| {
        if request.message.starts_with("wait") {
            std::future::pending::<()>().await;
        }
        format!("You said: {}", request.message)
    })
    .when_busy(crate::OnBusy::Queue { limit: 1000 })
}

fn node(store: &Arc<MemoryStore>, bus: &LocalBus) -> WorkerServer {
    let mut config = WorkerConfig::new().database(Database::Custom(store.clone()));
    config.broker = BrokerChoice::Given(bus.broker());
    WorkerServer::new(config).add_agent(agent())
}

/// A client, with the events that it was sent.
struct Client {
    link: LocalClient,
    events: HashMap<String, Vec<Value>>,
    sent: usize,
}

impl Client {
    async fn connect(server: &WorkerServer, user: &str) -> Self {
        let link = LocalClient::open(server, agent()).await.unwrap();
        let mut client = Self {
            link,
            events: HashMap::new(),
            sent: 0,
        };
        let identity = json!({
            "agent_id": "w", "organization_id": "o", "workspace_id": "s", "user": {"user_id": user},
        });
        client.send("connect", identity).await;
        client.read_until(|frame| frame["type"] == "ack").await;
        client
    }

    async fn send(&mut self, kind: &str, payload: Value) {
        self.sent += 1;
        let frame = json!({"id": self.sent.to_string(), "type": kind, "payload": payload});
        assert!(self.link.send(frame.to_string()).await);
    }

    async fn say(&mut self, thread_id: Option<&str>, text: &str) {
        let content = json!([{"type": "text", "text": text}]);
        let event = json!({"type": "message", "actor": "user", "content": content});
        let payload = json!({"thread_id": thread_id, "event": event});
        self.send("event.create", payload).await;
    }

    /// Reads a frame. Each event must be the next one of its thread, so none comes twice or out of order.
    async fn read(&mut self) -> Value {
        let frame: Value = serde_json::from_str(&self.link.next().await.unwrap()).unwrap();
        let payload = &frame["payload"];
        let (thread_id, events) = match frame["type"].as_str().unwrap() {
            "event.append" => (&payload["thread_id"], &payload["events"]),
            "thread.snapshot" => (&payload["thread"]["id"], &payload["events"]),
            "ack" => {
                assert_eq!(payload["ok"], true, "{frame}");
                return frame;
            }
            _ => return frame,
        };
        let known = self.events.entry(thread_id.as_str().unwrap().to_owned());
        let known = known.or_default();
        for event in events.as_array().unwrap() {
            known.push(event.clone());
            assert_eq!(event["seq"], known.len(), "{known:#?}");
        }
        frame
    }

    async fn read_until(&mut self, is_last: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.read().await;
            if is_last(&frame) {
                return frame;
            }
        }
    }

    /// Subscribes to the threads, sends messages, and reads until all messages of all clients are answered.
    async fn converse(mut self, threads: Vec<String>) -> HashMap<String, Vec<Value>> {
        self.events.clear();
        for thread_id in &threads {
            self.send("thread.subscribe", json!({"thread_id": thread_id}))
                .await;
        }
        for number in 0..MESSAGES {
            let thread_id = &threads[number % THREADS];
            self.say(Some(thread_id), &number.to_string()).await;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        while self.events.len() < THREADS || self.events.values().any(|all| all.len() < EVENTS) {
            self.read().await;
        }
        self.events
    }
}

/// Lets clients of several nodes talk in shared threads. Every client must be sent every event exactly once, in order.
async fn check(faults: Faults) -> LocalBus {
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::with(faults));
    // The store takes over all turns when a server starts.
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        let node = node(&store, &bus);
        node.start().await.unwrap();
        nodes.push(node);
    }
    let mut first = Client::connect(&nodes[0], "first").await;
    let mut threads = Vec::new();
    for _ in 0..THREADS {
        first.say(None, "begin").await;
        let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
        let end = first.read_until(is_end).await;
        let thread_id = end["payload"]["run"]["thread_id"].as_str().unwrap();
        threads.push(thread_id.to_owned());
    }
    let mut talking = Vec::new();
    for number in 0..CLIENTS {
        let client = Client::connect(&nodes[number % NODES], &format!("user{number}")).await;
        talking.push(client.converse(threads.clone()));
    }
    let views = join_all(talking).await;
    for view in &views[1..] {
        assert_eq!(view, &views[0]);
    }
    for node in nodes {
        node.close().await;
    }
    bus
}

#[tokio::test(start_paused = true)]
async fn perfect_bus_delivers_each_event_once() {
    let bus = check(Faults::default()).await;
    assert_eq!(bus.faulty(), 0);
}

#[tokio::test(start_paused = true)]
async fn faulty_bus_delivers_each_event_once() {
    let faults = Faults {
        lost: 20,
        doubled: 20,
        reordered: 20,
    };
    let bus = check(faults).await;
    assert!(bus.faulty() > 10, "{}", bus.faulty());
}

#[tokio::test(start_paused = true)]
async fn dead_bus_delivers_each_event_once() {
    let faults = Faults {
        lost: 100,
        ..Faults::default()
    };
    check(faults).await;
}

#[tokio::test(start_paused = true)]
async fn lists_are_read_again_after_messages_were_lost() {
    let faults = Faults {
        lost: 100,
        ..Faults::default()
    };
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::with(faults));
    let nodes = [node(&store, &bus), node(&store, &bus)];
    for node in &nodes {
        node.start().await.unwrap();
    }
    let mut ada = Client::connect(&nodes[0], "ada").await;
    let mut bob = Client::connect(&nodes[1], "bob").await;
    ada.say(None, "begin").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    let end = ada.read_until(is_end).await;
    bus.inject(r#"{"v":2,"n":"x","m":["e"]}"#);
    let row = bob
        .read_until(|frame| frame["type"] == "thread.upsert")
        .await;
    let thread_id = &row["payload"]["thread"]["id"];
    assert_eq!(thread_id, &end["payload"]["run"]["thread_id"]);
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_messages_change_nothing() {
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::default());
    let nodes = [node(&store, &bus), node(&store, &bus)];
    for node in &nodes {
        node.start().await.unwrap();
    }
    let mut ada = Client::connect(&nodes[0], "ada").await;
    ada.say(None, "begin").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    let end = ada.read_until(is_end).await;
    let thread_id = end["payload"]["run"]["thread_id"].as_str().unwrap();
    let scope = Scope::new("echo", "w").organization("o").workspace("s");
    let place = PlaceKey::of(&scope);
    let deleted = json!({"t": thread_id, "r": 99, "p": place, "d": []});
    let deleted = json!({"v": 2, "n": "x", "m": [{"t": deleted}]});
    let mut bob = Client::connect(&nodes[1], "bob").await;
    let signal = json!({"v": 2, "n": "x", "m": [{"q": "unknown"}, "e"]});
    for text in ["", "{}", "[1]", &deleted.to_string(), &signal.to_string()] {
        bus.inject(text);
    }
    ada.say(Some(thread_id), "again").await;
    ada.read_until(is_end).await;
    assert_eq!(ada.events[thread_id].len(), 4);
    // The thread exists, so a client that lists it is sent its row only.
    bob.send("ping", json!({})).await;
    let is_over = |frame: &Value| {
        assert_ne!(frame["type"], "thread.deleted");
        frame["type"] == "pong"
    };
    bob.read_until(is_over).await;
    for node in nodes {
        node.close().await;
    }
}
