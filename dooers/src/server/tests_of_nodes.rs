//! Servers that share a store, with a bus that loses, repeats and reorders messages.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use super::broker_kind::BrokerChoice;
use super::local_client::LocalClient;
use super::{Database, WorkerConfig, WorkerServer};
use crate::broker::{BrokerFaults, Delivered, LocalBus, PlaceKey};
use crate::handler::AgentDefinition;
use crate::store::{MemoryStore, Scope};
use crate::turn::LostIn;
use crate::{WorkerRequest, WorkerResponse};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const NODES: usize = 3;
const CLIENTS: usize = 2 * NODES;
const THREADS: usize = 3;
const MESSAGES: usize = 12;

/// The number of events of each thread when all messages are answered.
const EVENTS: usize = 2 + 2 * CLIENTS * MESSAGES / THREADS;

/// The pieces of a streamed text, and the time between two of them.
const PIECES: usize = 300;
const PAUSE: Duration = Duration::from_millis(40);

fn agent() -> AgentDefinition {
    AgentDefinition::from_fn("echo", talk).when_busy(crate::OnBusy::Queue { limit: 1000 })
}

async fn talk(request: WorkerRequest, response: WorkerResponse) -> crate::Result<()> {
    if request.message.starts_with("wait") {
        std::future::pending::<()>().await;
    }
    if request.message.starts_with("stream") {
        let text = response.text_stream();
        for piece in pieces() {
            text.push(piece);
            sleep(PAUSE).await;
        }
        text.finish().await?;
    } else {
        let text = format!("You said: {}", request.message);
        response.text(text).await?;
    }
    Ok(())
}

fn pieces() -> impl Iterator<Item = String> {
    (0..PIECES).map(|number| format!("{number} é🦀 "))
}

fn node(store: &Arc<MemoryStore>, bus: &LocalBus) -> WorkerServer {
    node_of(agent(), store, bus)
}

/// A server of this agent on a shared store and a bus.
pub(super) fn node_of(
    agent: AgentDefinition,
    store: &Arc<MemoryStore>,
    bus: &LocalBus,
) -> WorkerServer {
    let mut config = WorkerConfig::new().database(Database::Custom(store.clone()));
    config.broker = BrokerChoice::Given(bus.broker());
    WorkerServer::new(config).add_agent(agent)
}

/// A client, with the events that it was sent.
pub(super) struct Client {
    link: LocalClient,
    events: HashMap<String, Vec<Value>>,
    /// The number of frames with which a text has grown.
    grown: usize,
    sent: usize,
}

impl Client {
    async fn connect(server: &WorkerServer, user: &str) -> Self {
        Self::connect_to(agent(), server, user).await
    }

    pub(super) async fn connect_to(
        agent: AgentDefinition,
        server: &WorkerServer,
        user: &str,
    ) -> Self {
        Self::connect_with(agent, server, user, json!([])).await
    }

    async fn connect_with(
        agent: AgentDefinition,
        server: &WorkerServer,
        user: &str,
        capabilities: Value,
    ) -> Self {
        let link = LocalClient::open(server, agent).await.unwrap();
        let mut client = Self {
            link,
            events: HashMap::new(),
            grown: 0,
            sent: 0,
        };
        let identity = json!({
            "agent_id": "w", "organization_id": "o", "workspace_id": "s", "user": {"user_id": user},
            "capabilities": capabilities,
        });
        client.send("connect", identity).await;
        client.read_until(|frame| frame["type"] == "ack").await;
        client
    }

    pub(super) async fn send(&mut self, kind: &str, payload: Value) {
        self.sent += 1;
        let frame = json!({"id": self.sent.to_string(), "type": kind, "payload": payload});
        assert!(self.link.send(frame.to_string()).await);
    }

    pub(super) async fn say(&mut self, thread_id: Option<&str>, text: &str) {
        let content = json!([{"type": "text", "text": text}]);
        let event = json!({"type": "message", "actor": "user", "content": content});
        let payload = json!({"thread_id": thread_id, "event": event});
        self.send("event.create", payload).await;
    }

    /// Reads a frame. Each event must be the next one of its thread, or one whose text grows, so none comes twice or out of
    /// order. Each piece of a text must be the next one.
    pub(super) async fn read(&mut self) -> Value {
        let frame: Value = serde_json::from_str(&self.link.next().await.unwrap()).unwrap();
        let payload = &frame["payload"];
        let (thread_id, events) = match frame["type"].as_str().unwrap() {
            "event.append" => (&payload["thread_id"], &payload["events"]),
            "thread.snapshot" => {
                let thread_id = payload["thread"]["id"].as_str().unwrap();
                self.events.remove(thread_id);
                (&payload["thread"]["id"], &payload["events"])
            }
            "event.delta" => {
                let known = self.events.get_mut(payload["thread_id"].as_str().unwrap());
                let mut known = known.unwrap().iter_mut();
                let event = known.find(|event| event["id"] == payload["event_id"]);
                let event = event.unwrap();
                assert_eq!(event["streaming"], true, "{frame}");
                assert_eq!(event["delta_seq"], payload["delta_seq"], "{event}");
                event["delta_seq"] = (payload["delta_seq"].as_u64().unwrap() + 1).into();
                let text = &mut event["content"][0]["text"];
                *text =
                    (text.as_str().unwrap().to_owned() + payload["text"].as_str().unwrap()).into();
                self.grown += 1;
                return frame;
            }
            "ack" => {
                assert_eq!(payload["ok"], true, "{frame}");
                return frame;
            }
            _ => return frame,
        };
        let known = self.events.entry(thread_id.as_str().unwrap().to_owned());
        let known = known.or_default();
        for event in events.as_array().unwrap() {
            let seq = event["seq"].as_u64().unwrap() as usize;
            if let Some(growing) = known.get_mut(seq - 1) {
                assert_eq!(growing["streaming"], true, "{growing} became {event}");
                self.grown += usize::from(event["streaming"] == true);
                *growing = event.clone();
                continue;
            }
            known.push(event.clone());
            assert_eq!(seq, known.len(), "{known:#?}");
        }
        frame
    }

    pub(super) async fn read_until(&mut self, is_last: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.read().await;
            if is_last(&frame) {
                return frame;
            }
        }
    }

    /// Waits until the server has closed the connection.
    pub(super) async fn closed(mut self) {
        while self.link.next().await.is_some() {}
    }

    /// Subscribes to a thread, and reads until its last text has ended. The text must always be a beginning of the whole text.
    async fn watch(mut self, thread_id: &str, after: Duration) -> (Value, usize) {
        sleep(after).await;
        self.send("thread.subscribe", json!({"thread_id": thread_id}))
            .await;
        let whole: String = pieces().collect();
        loop {
            self.read().await;
            let event = self.events.get(thread_id).and_then(|all| all.get(3));
            if let Some(event) = event {
                let text = event["content"][0]["text"].as_str().unwrap();
                assert!(whole.starts_with(text), "{text}");
                if event["finalized"] == true {
                    assert_eq!(text, whole);
                    return (event.clone(), self.grown);
                }
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
            sleep(Duration::from_millis(25)).await;
        }
        while self.events.len() < THREADS || self.events.values().any(|all| all.len() < EVENTS) {
            self.read().await;
        }
        self.events
    }
}

/// Lets clients of several nodes talk in shared threads. Every client must be sent every event exactly once, in order.
async fn check(bus: LocalBus) -> LocalBus {
    let store = Arc::new(MemoryStore::new());
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
    let bus = check(LocalBus::default()).await;
    assert_eq!(bus.faulty(), 0);
}

#[tokio::test(start_paused = true)]
async fn bus_by_topic_delivers_each_event_once() {
    check(LocalBus::by_topic(BrokerFaults::new())).await;
    let faults = BrokerFaults::new().lost(20).doubled(20).reordered(20);
    check(LocalBus::by_topic(faults)).await;
}

#[tokio::test(start_paused = true)]
async fn node_hears_only_what_its_connections_need() {
    let store = Arc::new(MemoryStore::new());
    let bus = LocalBus::by_topic(BrokerFaults::new());
    let nodes = [node(&store, &bus), node(&store, &bus), node(&store, &bus)];
    for node in &nodes {
        node.start().await.unwrap();
    }
    let mut ada = Client::connect(&nodes[0], "ada").await;
    ada.say(None, "begin").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    let end = ada.read_until(is_end).await;
    let thread_id = end["payload"]["run"]["thread_id"].as_str().unwrap();
    // The other nodes have no connections.
    let mut bob = Client::connect(&nodes[1], "bob").await;
    let threads = |bus: &LocalBus, at: usize| bus.delivered(at).threads;
    assert_eq!([threads(&bus, 1), threads(&bus, 2)], [0, 0]);
    bob.send("thread.subscribe", json!({"thread_id": thread_id}))
        .await;
    bob.read_until(|frame| frame["type"] == "thread.snapshot")
        .await;
    ada.say(Some(thread_id), "again").await;
    for client in [&mut ada, &mut bob] {
        client.read_until(is_end).await;
    }
    assert!(threads(&bus, 1) > 0);
    assert_eq!(bus.delivered(2), Delivered::default());
    // The topic lingers, and is left then.
    bob.send("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    bob.read_until(|frame| frame["type"] == "ack").await;
    sleep(Duration::from_secs(10)).await;
    let before = bus.delivered(1);
    ada.say(Some(thread_id), "once more").await;
    ada.read_until(is_end).await;
    bob.read_until(|frame| frame["type"] == "thread.upsert")
        .await;
    let after = bus.delivered(1);
    assert_eq!(after.threads, before.threads);
    assert!(after.places > before.places);
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn faulty_bus_delivers_each_event_once() {
    let faults = BrokerFaults::new().lost(20).doubled(20).reordered(20);
    let bus = check(LocalBus::with(faults)).await;
    assert!(bus.faulty() > 10, "{}", bus.faulty());
}

#[tokio::test(start_paused = true)]
async fn dead_bus_delivers_each_event_once() {
    let faults = BrokerFaults::new().lost(100);
    check(LocalBus::with(faults)).await;
}

/// Lets one node stream a text. Returns the number of frames with which it grew for clients of the others: for one that takes
/// pieces, one that does not, and one that subscribes after 5 s.
async fn check_stream(faults: BrokerFaults) -> Vec<usize> {
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::with(faults));
    let nodes = [node(&store, &bus), node(&store, &bus), node(&store, &bus)];
    for node in &nodes {
        node.start().await.unwrap();
    }
    let mut ada = Client::connect(&nodes[0], "ada").await;
    ada.say(None, "begin").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    let end = ada.read_until(is_end).await;
    let thread_id = end["payload"]["run"]["thread_id"].as_str().unwrap();
    let mut watching = Vec::new();
    for (node, takes_pieces, after) in [(1, true, 0), (2, false, 0), (1, true, 5)] {
        let capabilities = if takes_pieces {
            json!(["event.delta"])
        } else {
            json!([])
        };
        let client = Client::connect_with(agent(), &nodes[node], "bob", capabilities).await;
        watching.push(client.watch(thread_id, Duration::from_secs(after)));
    }
    let begin = async {
        sleep(Duration::from_millis(100)).await;
        ada.say(Some(thread_id), "stream").await;
        ada.read_until(is_end).await;
    };
    let (views, ()) = futures::join!(join_all(watching), begin);
    for node in nodes {
        node.close().await;
    }
    let (events, grown): (Vec<_>, Vec<_>) = views.into_iter().unzip();
    assert!(events.iter().all(|event| *event == events[0]));
    grown
}

#[tokio::test(start_paused = true)]
async fn perfect_bus_delivers_each_piece() {
    let grown = check_stream(BrokerFaults::new()).await;
    assert!(grown[0] > PIECES - 10, "{grown:?}");
    assert!(grown[1] > PIECES / 5, "{grown:?}");
    // The pieces of the first 5 s, and until the text is stored the next time.
    assert!(grown[2] > PIECES - 200, "{grown:?}");
}

#[tokio::test(start_paused = true)]
async fn faulty_bus_delivers_each_text() {
    let faults = BrokerFaults::new().lost(20).doubled(20).reordered(20);
    let grown = check_stream(faults).await;
    assert!(grown.iter().all(|grown| *grown > 5), "{grown:?}");
}

#[tokio::test(start_paused = true)]
async fn dead_bus_shows_texts_as_they_are_stored() {
    let faults = BrokerFaults::new().lost(100);
    let grown = check_stream(faults).await;
    assert!(
        grown.iter().all(|grown| (1..5).contains(grown)),
        "{grown:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn lists_are_read_again_after_messages_were_lost() {
    let faults = BrokerFaults::new().lost(100);
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
    bus.inject(r#"{"v":2,"m":["e"]}"#);
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
async fn changes_without_an_answer_are_announced() {
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::default());
    // The changes of the last node are not announced to the others.
    let buses = [&bus, &bus, &LocalBus::default()];
    let nodes = buses.map(|bus| node(&store, bus));
    for node in &nodes {
        node.start().await.unwrap();
    }
    let mut bob = Client::connect(&nodes[1], "bob").await;
    for lost in [false, true] {
        let mut ada = Client::connect(&nodes[2], "ada").await;
        ada.say(None, "begin").await;
        let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
        let end = ada.read_until(is_end).await;
        let thread_id = end["payload"]["run"]["thread_id"].as_str().unwrap();
        let lost = if lost {
            LostIn::Anywhere
        } else {
            LostIn::Threads([thread_id.to_owned(), "unknown".to_owned()].into())
        };
        let server = nodes[0].start().await.unwrap();
        server.runner.publisher().lost_answers().note(lost);
        let is_row = |frame: &Value| frame["payload"]["thread"]["id"] == thread_id;
        let row = timeout(Duration::from_secs(4), bob.read_until(is_row));
        assert_eq!(row.await.unwrap()["type"], "thread.upsert");
    }
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn node_hears_while_its_store_does_not_answer() {
    let (store, bus) = (Arc::new(MemoryStore::new()), LocalBus::default());
    let nodes = [node(&store, &bus), node(&store, &bus)];
    for node in &nodes {
        node.start().await.unwrap();
    }
    let mut ada = Client::connect(&nodes[0], "ada").await;
    let mut bob = Client::connect(&nodes[1], "bob").await;
    let unanswered = store.unanswered.write().await;
    ada.say(None, "begin").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["status"] == "succeeded";
    ada.read_until(is_end).await;
    // The node of the other client now reads the row of the thread.
    sleep(Duration::from_millis(100)).await;
    let eve = Client::connect(&nodes[1], "eve").await;
    nodes[0].disconnect("eve").await.unwrap();
    timeout(Duration::from_secs(1), eve.closed()).await.unwrap();
    drop(unanswered);
    bob.read_until(|frame| frame["type"] == "thread.upsert")
        .await;
    for node in nodes {
        node.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_messages_change_nothing() {
    let (store, bus) = (
        Arc::new(MemoryStore::new()),
        LocalBus::with(BrokerFaults::new()),
    );
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
    let deleted = json!({"v": 2, "m": [{"t": deleted}]});
    let mut bob = Client::connect(&nodes[1], "bob").await;
    let signal = json!({"v": 2, "m": [{"q": "unknown"}, "e"]});
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
