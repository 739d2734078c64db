//! Settings, analytics and connections of servers that share a store, with a bus that loses, repeats and reorders messages.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use super::WorkerServer;
use super::tests_of_nodes::{Client, node_of};
use crate::WorkerRequest;
use crate::broker::{BrokerFaults, LocalBus};
use crate::handler::AgentDefinition;
use crate::protocol::{AnalyticsEvent, timestamp};
use crate::settings::{Field, LiveSettings, SettingsSchema, SettingsUpdate, SettingsWatch};
use crate::store::{MemoryStore, Scope, Store, WorkerKey};
use futures::future::join_all;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

const NODES: usize = 3;
const FIELDS: [&str; 3] = ["one", "two", "three"];
const PATCHES: usize = 12;

fn agent() -> AgentDefinition {
    let fields = FIELDS.map(|id| Field::text(id).optional());
    let hidden = Field::text("hidden").optional().internal();
    let secret = Field::password("secret").optional();
    let fields = fields.into_iter().chain([hidden, secret]);
    let schema = fields.fold(SettingsSchema::builder(), |schema, field| {
        schema.field(field)
    });
    AgentDefinition::from_fn("tuned", async |_: WorkerRequest| "Yes")
        .with_settings_schema(schema.build().unwrap())
}

fn worker() -> WorkerKey {
    WorkerKey {
        agent: "tuned".to_owned(),
        worker_id: "w".to_owned(),
    }
}

struct Nodes {
    store: Arc<MemoryStore>,
    bus: LocalBus,
    servers: Vec<WorkerServer>,
}

impl Nodes {
    async fn start(number: usize, faults: BrokerFaults) -> Self {
        Self::on(LocalBus::by_topic(faults), number).await
    }

    async fn on(bus: LocalBus, number: usize) -> Self {
        let store = Arc::new(MemoryStore::new());
        let mut servers = Vec::new();
        for _ in 0..number {
            let server = node_of(agent(), &store, &bus);
            server.start().await.unwrap();
            servers.push(server);
        }
        Self {
            store,
            bus,
            servers,
        }
    }

    async fn client(&self, node: usize, user: &str) -> Client {
        Client::connect_to(agent(), &self.servers[node], user).await
    }

    async fn subscribed(&self, node: usize, user: &str) -> View {
        let mut view = View {
            client: self.client(node, user).await,
            values: HashMap::new(),
            seen: HashSet::new(),
        };
        view.client
            .send("settings.subscribe", json!({"agent_id": "w"}))
            .await;
        view.read_until("ack").await;
        view
    }

    async fn settings(&self, node: usize) -> Arc<LiveSettings> {
        Arc::clone(&self.servers[node].start().await.unwrap().settings)
    }

    async fn close(self) {
        for server in self.servers {
            server.close().await;
        }
    }
}

/// A client with the settings that it was sent.
struct View {
    client: Client,
    values: HashMap<String, Value>,
    /// The changes that it was sent. Each value is set only once.
    seen: HashSet<String>,
}

impl View {
    async fn read(&mut self) -> Value {
        let frame = self.client.read().await;
        let payload = &frame["payload"];
        match frame["type"].as_str().unwrap() {
            "settings.snapshot" => {
                for field in payload["fields"].as_array().unwrap() {
                    let id = field["id"].as_str().unwrap().to_owned();
                    self.values.insert(id, field["value"].clone());
                }
            }
            "settings.patch" => {
                let id = payload["field_id"].as_str().unwrap().to_owned();
                let change = format!("{id}={}", payload["value"]);
                let is_new = self.seen.insert(change.clone());
                assert!(is_new || payload["value"].is_null(), "{change} twice");
                self.values.insert(id, payload["value"].clone());
            }
            _ => {}
        }
        frame
    }

    async fn read_until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.read().await;
            if frame["type"] == kind {
                return frame["payload"].clone();
            }
        }
    }

    async fn patch(&mut self, field: &str, value: impl Into<Value>) {
        let value = value.into();
        let payload = json!({"field_id": field, "value": value});
        self.client.send("settings.patch", payload).await;
        while self.read_until("settings.patch").await["value"] != value {}
    }

    /// Reads everything that was sent so far.
    async fn read_pending(&mut self) {
        self.client.send("ping", json!({})).await;
        self.read_until("pong").await;
    }
}

/// Clients of several nodes change the same settings. In the end, every client must have the stored values.
async fn check(faults: BrokerFaults) {
    let nodes = Nodes::start(NODES, faults).await;
    let mut watches = Vec::new();
    for node in 0..NODES {
        watches.push(nodes.settings(node).await.watch(&worker()));
    }
    let mut views = Vec::new();
    for number in 0..2 * NODES {
        views.push(
            nodes
                .subscribed(number % NODES, &format!("u{number}"))
                .await,
        );
    }
    let patching = views.into_iter().enumerate().map(async |(user, mut view)| {
        for number in 0..PATCHES {
            let field = FIELDS[(user + number) % FIELDS.len()];
            view.patch(field, format!("{user}-{number}")).await;
            tokio::time::sleep(Duration::from_millis(7 * (user as u64 + 1))).await;
        }
        view
    });
    let views = join_all(patching).await;
    let stored = nodes.store.settings(&worker()).await.unwrap();
    let stored: HashMap<_, _> = stored
        .into_iter()
        .map(|setting| (setting.field_id, setting.value))
        .collect();
    let is_stored = |values: &HashMap<String, Value>| {
        let mut stored = stored.iter();
        stored.all(|(id, value)| values.get(id) == Some(value))
    };
    for mut view in views {
        while !is_stored(&view.values) {
            view.read().await;
        }
        // Nothing older follows.
        tokio::time::sleep(Duration::from_secs(20)).await;
        view.read_pending().await;
        assert!(is_stored(&view.values), "{:?}", view.values);
    }
    for watch in watches {
        let mut values = HashMap::new();
        for update in pending(watch) {
            values.insert(update.field_id, update.new);
        }
        assert_eq!(values, stored);
    }
    nodes.close().await;
}

/// The updates that a watch returns without waiting.
fn pending(mut watch: SettingsWatch) -> Vec<SettingsUpdate> {
    std::iter::from_fn(|| watch.next().now_or_never().flatten()).collect()
}

#[tokio::test(start_paused = true)]
async fn settings_of_all_nodes_end_at_the_store() {
    check(BrokerFaults::new()).await;
}

#[tokio::test(start_paused = true)]
async fn settings_on_a_faulty_bus_end_at_the_store() {
    check(BrokerFaults::new().lost(20).doubled(20).reordered(20)).await;
}

#[tokio::test(start_paused = true)]
async fn settings_on_a_dead_bus_end_at_the_store() {
    check(BrokerFaults::new().lost(100)).await;
}

#[tokio::test(start_paused = true)]
async fn watch_returns_changes_of_other_nodes() {
    let nodes = Nodes::start(2, BrokerFaults::new()).await;
    let (here, there) = (nodes.settings(0).await, nodes.settings(1).await);
    here.set(&worker(), "one", json!("before")).await.unwrap();
    let mut watch = there.watch(&worker());
    let read = there.current(&worker()).await.unwrap();
    assert_eq!(read.values.get("one"), Some(&json!("before")));
    for (field, old, new) in [
        ("one", json!("before"), json!("after")),
        ("hidden", Value::Null, json!("shown to the program")),
        ("secret", Value::Null, Value::Null),
    ] {
        let value = if field == "secret" {
            json!("hush")
        } else {
            new.clone()
        };
        here.set(&worker(), field, value).await.unwrap();
        let update = watch.next().await.unwrap();
        assert_eq!(
            (&*update.field_id, update.old, update.new),
            (field, old, new)
        );
    }
    // A change of this node is returned once, and so is one that removes a value.
    there.set(&worker(), "two", json!("own")).await.unwrap();
    here.remove(&worker(), "one").await.unwrap();
    let mut updates = Vec::new();
    for _ in 0..2 {
        let update = watch.next().await.unwrap();
        updates.push((update.field_id, update.old, update.new));
    }
    let own = ("two".to_owned(), Value::Null, json!("own"));
    let removed = ("one".to_owned(), json!("after"), Value::Null);
    assert_eq!(updates, [own, removed]);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(watch.next().now_or_never(), None);
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn only_the_writing_node_calls_the_program() {
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::default());
    let (sender, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let mut servers = Vec::new();
    for node in 0..2 {
        let sender = sender.clone();
        let server = node_of(agent(), &store, &bus).on_settings_updated(move |update| {
            sender.send((node, update.field_id)).unwrap();
            std::future::ready(Ok(()))
        });
        server.start().await.unwrap();
        servers.push(server);
    }
    let nodes = Nodes {
        store,
        bus,
        servers,
    };
    let mut ada = nodes.subscribed(0, "ada").await;
    let mut bob = nodes.subscribed(1, "bob").await;
    ada.patch("one", "x").await;
    bob.read_until("settings.patch").await;
    bob.patch("two", "y").await;
    ada.read_until("settings.patch").await;
    assert_eq!(calls.recv().await, Some((0, "one".to_owned())));
    assert_eq!(calls.recv().await, Some((1, "two".to_owned())));
    assert_eq!(calls.recv().now_or_never(), None);
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn settings_without_subscribers_are_not_read() {
    let nodes = Nodes::start(2, BrokerFaults::new()).await;
    let there = nodes.settings(1).await;
    let mut bob = nodes.subscribed(1, "bob").await;
    let here = nodes.settings(0).await;
    here.set(&worker(), "one", json!("x")).await.unwrap();
    assert_eq!(bob.read_until("settings.patch").await["value"], "x");
    bob.client
        .send("settings.unsubscribe", json!({"agent_id": "w"}))
        .await;
    bob.read_until("ack").await;
    there.may_have_changed(&worker());
    assert!(there.outdated().now_or_never().is_none());
    here.set(&worker(), "one", json!("y")).await.unwrap();
    // A watch that begins later does not return the change.
    let watch = there.watch(&worker());
    there.current(&worker()).await.unwrap();
    assert_eq!(pending(watch), []);
    nodes
        .bus
        .inject(r#"{"v":2,"m":[{"c":{"a":"?","w":"\u0000"}},{"c":1},{"c":{}}]}"#);
    nodes.close().await;
}

/// Faults of a bus that loses nothing.
const REPEATED: BrokerFaults = BrokerFaults::new().doubled(50);

/// The same for a bus on which more messages follow. A message is held until the next one.
const REORDERED: BrokerFaults = BrokerFaults::new().reordered(50);

async fn subscribe_analytics(client: &mut Client) {
    let place = json!({"agent_id": "w"});
    client.send("analytics.subscribe", place).await;
    client.read_until(|frame| frame["type"] == "ack").await;
}

/// Reads analytics events up to the one with this name. None of them comes twice.
async fn analytics(client: &mut Client, last: &str) -> BTreeSet<String> {
    let mut events = BTreeSet::new();
    loop {
        let frame = client
            .read_until(|frame| frame["type"] == "analytics.event")
            .await;
        let is_new = events.insert(frame["payload"].to_string());
        assert!(is_new, "{frame} twice");
        if frame["payload"]["event"] == last {
            return events;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn analytics_reach_subscribers_of_other_nodes_once() {
    let nodes = Nodes::start(NODES, REORDERED).await;
    let mut ada = nodes.client(0, "ada").await;
    let mut bob = nodes.client(0, "bob").await;
    let mut eve = nodes.client(1, "eve").await;
    subscribe_analytics(&mut bob).await;
    subscribe_analytics(&mut eve).await;
    // The announcement of a subscriber may be held for some time.
    tokio::time::sleep(Duration::from_secs(12)).await;
    ada.say(None, "hello").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    let end = ada.read_until(is_end).await;
    let target = json!({
        "target_type": "run", "target_id": end["payload"]["run"]["id"],
        "thread_id": end["payload"]["run"]["thread_id"], "feedback": "like",
    });
    ada.send("feedback", target).await;
    let here = analytics(&mut bob, "feedback.like").await;
    let mut there = BTreeSet::new();
    while there.len() < here.len() {
        let is_event = |frame: &Value| frame["type"] == "analytics.event";
        let frame = eve.read_until(is_event).await;
        assert!(there.insert(frame["payload"].to_string()), "{frame} twice");
    }
    assert!(here.len() > 3, "{here:?}");
    assert_eq!(here, there);
    tokio::time::sleep(Duration::from_secs(12)).await;
    eve.send("ping", json!({})).await;
    let is_over = |frame: &Value| {
        assert_ne!(frame["type"], "analytics.event");
        frame["type"] == "pong"
    };
    eve.read_until(is_over).await;
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn analytics_too_large_for_other_nodes_are_counted() {
    check_large_analytics(LocalBus::default()).await;
}

#[tokio::test(start_paused = true)]
async fn analytics_are_carried_by_topic() {
    check_large_analytics(LocalBus::by_topic(BrokerFaults::new())).await;
}

async fn check_large_analytics(bus: LocalBus) {
    let nodes = Nodes::on(bus, 2).await;
    let server = nodes.servers[0].start().await.unwrap();
    let live = server.runner.publisher().analytics();
    let scope = Scope::new("tuned", "w").organization("o").workspace("s");
    let publish = |size: usize| {
        let mut event = AnalyticsEvent::new("custom", "w", timestamp::now());
        event.data = Some(json!("x".repeat(size)));
        live.publish(live.of_program(&scope, &event));
    };
    let mut eve = nodes.client(1, "eve").await;
    subscribe_analytics(&mut eve).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for size in [10, 9_000, 9_000, 20] {
        publish(size);
    }
    for (size, dropped) in [(10, Value::Null), (20, json!(2))] {
        let is_event = |frame: &Value| frame["type"] == "analytics.event";
        let payload = eve.read_until(is_event).await["payload"].take();
        assert_eq!(payload["data"].as_str().unwrap().len(), size);
        assert_eq!(payload["dropped"], dropped);
    }
    // Without subscribers, nothing is sent after a while.
    eve.send("analytics.unsubscribe", json!({"agent_id": "w"}))
        .await;
    eve.read_until(|frame| frame["type"] == "ack").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let event = AnalyticsEvent::new("custom", "w", timestamp::now());
    assert!(live.of_program(&scope, &event).is_empty());
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn disconnect_closes_connections_to_other_nodes() {
    let nodes = Nodes::start(NODES, REPEATED).await;
    let mut ada = nodes.client(1, "ada").await;
    let (bob, his) = (nodes.client(0, "bob").await, nodes.client(1, "bob").await);
    assert_eq!(nodes.servers[0].disconnect("bob").await.unwrap(), 1);
    assert_eq!(nodes.servers[2].disconnect("bob").await.unwrap(), 0);
    bob.closed().await;
    his.closed().await;
    ada.send("ping", json!({})).await;
    ada.read_until(|frame| frame["type"] == "pong").await;
    nodes.close().await;
}

#[tokio::test(start_paused = true)]
async fn renamed_threads_reach_lists_of_other_nodes() {
    let nodes = Nodes::start(2, REPEATED).await;
    let (mut ada, mut bob) = (nodes.client(0, "ada").await, nodes.client(1, "bob").await);
    ada.say(None, "hello").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    let end = ada.read_until(is_end).await;
    let thread_id = &end["payload"]["run"]["thread_id"];
    for number in 0..10 {
        let title = json!({"thread_id": thread_id, "title": number.to_string()});
        ada.send("thread.update", title).await;
    }
    let is_last = |frame: &Value| frame["payload"]["thread"]["title"] == "9";
    bob.read_until(is_last).await;
    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    // No row follows the last one.
    let is_deleted = |frame: &Value| {
        let is_older = frame["type"] == "thread.upsert" && !is_last(frame);
        assert!(!is_older, "{frame}");
        frame["type"] == "thread.deleted"
    };
    bob.read_until(is_deleted).await;
    nodes.close().await;
}
