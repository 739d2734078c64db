//! Streamed texts between the servers of one database.

use super::nodes::{close, heard};
use dooers::prelude::*;
use dooers::store::PostgresOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::postgres::shared;
use dooers_tests::{Client, Identity, Server, ThreadView, gate};
use serde_json::{Value, json};
use std::time::Duration;

const PIECES: [&str; 3] = ["One ", "pièce ", "after the other."];

/// Streams a text, and waits at the gate that the message names behind each piece.
#[dooers::agent]
async fn writer(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    if let Some(key) = request.message.strip_prefix("stream ") {
        let text = response.text_stream();
        for piece in PIECES {
            text.push(piece);
            gate::pass(key).await;
        }
        text.finish().await?;
    }
    Ok(())
}

async fn two_nodes(options: &PostgresOptions) -> [Server; 2] {
    let node = async || {
        let config = WorkerConfig::new()
            .database(Database::Postgres(options.clone()))
            .lease(Duration::from_secs(3600));
        Server::start(WorkerServer::new(config).agent::<writer>()).await
    };
    let nodes = [node().await, node().await];
    for node in &nodes {
        heard(node).await;
    }
    nodes
}

/// A client, and the thread as it shows it.
struct Reader {
    client: Client,
    view: ThreadView,
}

impl Reader {
    async fn join(server: &Server, identity: Identity, thread_id: &str) -> Self {
        let mut client = server.client(identity).await;
        let mut view = ThreadView::default();
        view.snapshot(&client.subscribe(thread_id).await);
        Self { client, view }
    }

    /// Reads until the text is this long. It must always be a beginning of the whole text. Returns the types of the frames with
    /// which it grew.
    async fn read_to(&mut self, text: &str) -> Vec<&'static str> {
        let whole = PIECES.concat();
        let mut kinds = Vec::new();
        loop {
            let last = self.view.events.last().unwrap();
            let shown = last["content"][0]["text"].as_str().unwrap();
            if last["actor"] == "assistant" {
                assert!(whole.starts_with(shown), "{last}");
                if shown == text {
                    return kinds;
                }
            }
            self.read(&mut kinds).await;
        }
    }

    async fn read(&mut self, kinds: &mut Vec<&'static str>) -> Value {
        let frame = self.client.next().await;
        let payload = &frame["payload"];
        match frame["type"].as_str().unwrap() {
            "event.delta" => {
                self.view.delta(payload);
                kinds.push("event.delta");
            }
            "event.append" => {
                for event in payload["events"].as_array().unwrap() {
                    self.view.append(event);
                }
                kinds.push("event.append");
            }
            _ => {}
        }
        frame
    }

    async fn read_turn(&mut self) -> Value {
        loop {
            let frame = self.read(&mut Vec::new()).await;
            let run = &frame["payload"]["run"];
            if frame["type"] == "run.upsert" && run["status"] != "running" {
                return run["status"].clone();
            }
        }
    }
}

#[tokio::test]
async fn text_grows_on_the_other_node() {
    const KEY: &str = "nodes-text";
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let mut ada = nodes[0].client("ada").await;
    let thread_id = ada.start_thread("hello").await;
    let mut bob = Reader::join(&nodes[1], Identity::of("bob").with_deltas(), &thread_id).await;
    let mut old = Reader::join(&nodes[1], Identity::of("old"), &thread_id).await;
    ada.send_message(Some(&thread_id), &format!("stream {KEY}"))
        .await;
    // Each character once, and the first ones before the text is stored.
    let kinds = bob.read_to("One ").await;
    assert_eq!(kinds.last(), Some(&"event.delta"));
    old.read_to("One ").await;
    gate::open(KEY);
    assert_eq!(bob.read_to("One pièce ").await, ["event.delta"]);
    assert_eq!(old.read_to("One pièce ").await, ["event.append"]);
    // A client that joins has the pieces that this node knows.
    let mut eve = Reader::join(&nodes[1], Identity::of("eve").with_deltas(), &thread_id).await;
    eve.read_to("One pièce ").await;
    gate::open(KEY);
    let whole = PIECES.concat();
    for reader in [&mut bob, &mut eve] {
        assert_eq!(reader.read_to(&whole).await, ["event.delta"]);
    }
    gate::open(KEY);
    for reader in [&mut bob, &mut old, &mut eve] {
        assert_eq!(reader.read_turn().await, "succeeded");
        assert_eq!(reader.view.events.last().unwrap()["finalized"], true);
    }
    assert_eq!(bob.view.events, old.view.events);
    assert_eq!(bob.view.events, eve.view.events);
    eve.client.disconnect().await;
    old.client.disconnect().await;
    close(nodes, [ada, bob.client]).await;
}

#[tokio::test]
async fn watcher_in_midstream_joins_at_the_stored_text() {
    const KEY: &str = "nodes-text-late";
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let mut ada = nodes[0].client("ada").await;
    let thread_id = ada.start_thread("hello").await;
    ada.send_message(Some(&thread_id), &format!("stream {KEY}"))
        .await;
    gate::arrived(KEY).await;
    // Nobody on the other node has heard the first piece.
    let mut bob = Reader::join(&nodes[1], Identity::of("bob").with_deltas(), &thread_id).await;
    gate::open(KEY);
    bob.read_to("One pièce ").await;
    gate::open(KEY);
    assert_eq!(bob.read_to(&PIECES.concat()).await, ["event.delta"]);
    gate::open(KEY);
    assert_eq!(bob.read_turn().await, "succeeded");
    close(nodes, [ada, bob.client]).await;
}

#[tokio::test]
async fn texts_in_midstream_share_one_connection_to_the_database() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options.pool_size(1)).await;
    let mut ada = nodes[0].client("ada").await;
    let keys: Vec<_> = (0..8)
        .map(|text| format!("nodes-text-many-{text}"))
        .collect();
    let mut threads = Vec::new();
    for _ in &keys {
        threads.push(ada.start_thread("hello").await);
    }
    let mut readers = Vec::new();
    for (key, thread_id) in keys.iter().zip(&threads) {
        ada.send_message(Some(thread_id), &format!("stream {key}"))
            .await;
        gate::arrived(key).await;
        let bob = Identity::of("bob").with_deltas();
        readers.push(Reader::join(&nodes[1], bob, thread_id).await);
    }
    // The other node has to read the beginning of each text.
    keys.iter().for_each(|key| gate::open(key));
    for reader in &mut readers {
        reader.read_to("One pièce ").await;
    }
    for _ in 0..2 {
        keys.iter().for_each(|key| gate::open(key));
    }
    for reader in &mut readers {
        assert_eq!(reader.read_turn().await, "succeeded");
    }
    let last = readers.pop().unwrap();
    for reader in readers {
        reader.client.disconnect().await;
    }
    close(nodes, [ada, last.client]).await;
}

#[tokio::test]
async fn cancelled_text_ends_alike_on_both_nodes() {
    const KEY: &str = "nodes-text-cancel";
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let mut ada = nodes[0].client("ada").await;
    let thread_id = ada.start_thread("hello").await;
    let of = |name| Identity::of(name).with_deltas();
    let mut readers = [
        Reader::join(&nodes[0], of("here"), &thread_id).await,
        Reader::join(&nodes[1], of("there"), &thread_id).await,
    ];
    ada.send_message(Some(&thread_id), &format!("stream {KEY}"))
        .await;
    for reader in &mut readers {
        reader.read_to("One ").await;
    }
    let run_id = readers[1].view.events.last().unwrap()["run_id"].clone();
    let cancel = json!({"run_id": run_id});
    readers[1].client.send("run.cancel", cancel).await;
    for reader in &mut readers {
        assert_eq!(reader.read_turn().await, "canceled");
        let text = &reader.view.events.last().unwrap()["content"][0]["text"];
        assert_eq!(text, "One ");
    }
    let [here, there] = readers;
    assert_eq!(here.view.events, there.view.events);
    here.client.disconnect().await;
    close(nodes, [ada, there.client]).await;
}
