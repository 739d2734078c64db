//! Live updates between the servers of one database, with each broker: the suite `nats` contains this file, too.

use crate::engine::{shared, with_broker};
use crate::history::events;
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::store::PostgresOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::{AppendOutcome, Client, Identity, Server, ThreadView, gate, within};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// Says what the user said. A message that begins with `wait` waits at the gate that it names. `ask` asks a form, and says the
/// kind of the reply.
#[dooers::agent(queue = 1000)]
async fn talker(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    if request.message == "ask" {
        let form = Form::new("Which size?").element(FormElement::text("size", "Size"));
        return Ok(match response.ask_form(&form).await? {
            FormReply::Answered(answer) => format!("Answered: {}", json!(answer.values)),
            reply => format!("{reply:?}"),
        });
    }
    if let Some(key) = request.message.strip_prefix("wait ") {
        let _dropped = Dropped(format!("{key}-dropped"));
        gate::pass(key).await;
    }
    Ok(format!("You said: {}", request.message))
}

struct Dropped(String);

impl Drop for Dropped {
    fn drop(&mut self) {
        gate::arrive(&self.0);
    }
}

/// A server on these tables. Its lease is so long that no renewal hides a missing message.
pub(crate) async fn node_with(
    options: &PostgresOptions,
    change: impl FnOnce(WorkerConfig) -> WorkerConfig,
) -> Server {
    node_on(options, |config| with_broker(change(config))).await
}

/// A server on these tables, whose broker `change` decides.
pub(crate) async fn node_on(
    options: &PostgresOptions,
    change: impl FnOnce(WorkerConfig) -> WorkerConfig,
) -> Server {
    let config = WorkerConfig::new()
        .database(Database::Postgres(options.clone()))
        .lease(Duration::from_secs(3600));
    Server::start(WorkerServer::new(change(config)).agent::<talker>()).await
}

/// Waits until the node hears the others.
pub(crate) async fn heard(server: &Server) {
    let ready = async { while server.get("/readyz").await.1 != "ready\n" {} };
    within("the node to hear the others", ready).await;
}

/// Two nodes that hear each other.
pub(crate) async fn two_nodes(options: &PostgresOptions) -> [Server; 2] {
    two_nodes_on(options, with_broker).await
}

/// Two nodes that hear each other through the broker that `change` decides.
pub(crate) async fn two_nodes_on(
    options: &PostgresOptions,
    change: impl Fn(WorkerConfig) -> WorkerConfig,
) -> [Server; 2] {
    let nodes = [
        node_on(options, &change).await,
        node_on(options, &change).await,
    ];
    for node in &nodes {
        heard(node).await;
    }
    nodes
}

pub(crate) async fn close([one, other]: [Server; 2], clients: [Client; 2]) {
    let [ada, bob] = clients;
    ada.disconnect().await;
    bob.disconnect().await;
    one.close([]).await;
    other.close([]).await;
}

/// Reads until a frame of this type concerns the thread.
pub(crate) async fn read_of(client: &mut Client, kind: &str, thread_id: &str) -> Value {
    let is_it = |frame: &Value| {
        let payload = &frame["payload"];
        frame["type"] == kind
            && (payload["thread_id"] == thread_id || payload["thread"]["id"] == thread_id)
    };
    let frames = client.read_until(kind, is_it).await;
    frames.into_iter().next_back().unwrap()["payload"].take()
}

/// Applies frames to the views of their threads. No event may come twice.
pub(crate) fn apply(views: &mut HashMap<String, ThreadView>, frame: &Value) {
    let payload = &frame["payload"];
    match frame["type"].as_str().unwrap() {
        "event.append" => {
            let view = views.entry(payload["thread_id"].as_str().unwrap().to_owned());
            let view = view.or_default();
            for event in payload["events"].as_array().unwrap() {
                assert_eq!(view.append(event), AppendOutcome::New, "{event}");
            }
        }
        "run.upsert" => {
            let thread_id = payload["run"]["thread_id"].as_str().unwrap().to_owned();
            views.entry(thread_id).or_default().run(&payload["run"]);
        }
        _ => {}
    }
}

#[tokio::test]
async fn turns_of_one_node_are_live_on_the_other() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("zero").await;
    bob.subscribe(&thread_id).await;
    let mut views = HashMap::new();
    for number in 1..=5 {
        // The nodes take turns, so each hears the other.
        let (from, to) = if number % 2 == 0 {
            (&mut bob, &mut ada)
        } else {
            (&mut ada, &mut bob)
        };
        from.run_turn(&thread_id, &number.to_string()).await;
        for frame in to.read_turn().await {
            if number % 2 == 1 {
                apply(&mut views, &frame);
            }
        }
    }
    let stored = events(&mut ada, &thread_id).await;
    assert_eq!(stored.len(), 12);
    // Bob was sent the events of his own messages, too.
    let heard = &views[&thread_id].events;
    let of_ada = |event: &&Value| [3, 4, 7, 8, 11, 12].contains(&event["seq"].as_u64().unwrap());
    let expected: Vec<_> = stored.iter().filter(of_ada).collect();
    let known = |event: &Value| heard.iter().any(|heard| heard["id"] == event["id"]);
    assert!(expected.iter().all(|event| known(event)), "{heard:?}");
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn lists_show_threads_of_other_nodes() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let elsewhere = Identity::of("eve").with("workspace_id", "s2");
    let mut eve = nodes[1].client(elsewhere).await;
    let thread_id = ada.start_thread("hello").await;
    read_of(&mut bob, "thread.upsert", &thread_id).await;
    let renamed = json!({"thread_id": thread_id, "title": "Renamed"});
    ada.send("thread.update", renamed).await;
    while read_of(&mut bob, "thread.upsert", &thread_id).await["thread"]["title"] != "Renamed" {}
    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    read_of(&mut bob, "thread.deleted", &thread_id).await;
    // Another workspace hears nothing.
    assert_eq!(eve.read_pending().await, Vec::<Value>::new());
    eve.disconnect().await;
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn private_threads_stay_private_on_other_nodes() {
    let Some(options) = shared() else { return };
    let private = |config: WorkerConfig| config.private_threads(true);
    let nodes = [
        node_with(&options, private).await,
        node_with(&options, private).await,
    ];
    for node in &nodes {
        heard(node).await;
    }
    let mut ada = nodes[0].client("ada").await;
    let (mut hers, mut bob) = (nodes[1].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    read_of(&mut hers, "thread.upsert", &thread_id).await;
    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    read_of(&mut hers, "thread.deleted", &thread_id).await;
    assert_eq!(bob.read_pending().await, Vec::<Value>::new());
    hers.disconnect().await;
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn views_on_two_nodes_equal_the_store() {
    const THREADS: usize = 4;
    const MESSAGES: usize = 6;
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let mut clients = Vec::new();
    for number in 0..6 {
        let node = &nodes[number % 2];
        clients.push(node.client(format!("user{number}").as_str()).await);
    }
    // Another client, because the one that starts a thread is subscribed to it already.
    let mut first = nodes[0].client("first").await;
    let mut threads = Vec::new();
    for _ in 0..THREADS {
        threads.push(first.start_thread("first").await);
    }
    first.disconnect().await;
    let mut readers = Vec::new();
    for client in clients {
        let threads = threads.clone();
        readers.push(tokio::spawn(
            async move { converse(client, &threads).await },
        ));
    }
    let mut views = Vec::new();
    for reader in readers {
        views.push(within("a client to read everything", reader).await.unwrap());
    }
    let mut reader = nodes[0].client("reader").await;
    for thread_id in &threads {
        let stored = events(&mut reader, thread_id).await;
        assert_eq!(stored.len(), 2 + 2 * 6 * MESSAGES / THREADS * 2);
        for view in &views {
            assert_eq!(view[thread_id].events, stored);
        }
    }
    reader.disconnect().await;
    let [one, other] = nodes;
    one.close([]).await;
    other.close([]).await;

    /// Subscribes to all threads, sends messages, and reads until every message of every client is answered.
    async fn converse(mut client: Client, threads: &[String]) -> HashMap<String, ThreadView> {
        let mut views: HashMap<String, ThreadView> = HashMap::new();
        for thread_id in threads {
            client
                .send("thread.subscribe", json!({"thread_id": thread_id}))
                .await;
        }
        for number in 0..2 * MESSAGES {
            let thread_id = &threads[number % THREADS];
            client
                .send_message(Some(thread_id), &number.to_string())
                .await;
        }
        let all = 2 + 2 * 6 * MESSAGES / THREADS * 2;
        let is_over = |views: &HashMap<String, ThreadView>| {
            views.len() == THREADS && views.values().all(|view| view.events.len() == all)
        };
        while !is_over(&views) {
            let frame = client.next().await;
            if frame["type"] == "thread.snapshot" {
                let payload = &frame["payload"];
                let thread_id = payload["thread"]["id"].as_str().unwrap();
                views
                    .entry(thread_id.to_owned())
                    .or_default()
                    .snapshot(payload);
            } else {
                apply(&mut views, &frame);
            }
        }
        client.disconnect().await;
        views
    }
}

#[tokio::test]
async fn cancel_reaches_the_node_that_runs_the_turn() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    ada.send_message(Some(&thread_id), "wait nodes-cancel")
        .await;
    gate::arrived("nodes-cancel").await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let frames = bob.read_until("the run", is_run).await;
    let run_id = frames.last().unwrap()["payload"]["run"]["id"].clone();
    bob.send("run.cancel", json!({"run_id": run_id})).await;
    gate::arrived("nodes-cancel-dropped").await;
    for client in [&mut ada, &mut bob] {
        let frames = client.read_turn().await;
        let run = &frames.last().unwrap()["payload"]["run"];
        assert_eq!((&run["id"], &run["status"]), (&run_id, &json!("canceled")));
    }
    close(nodes, [ada, bob]).await;
}

/// Reads until an event fulfils a condition.
async fn event(client: &mut Client, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let found = |frame: &Value| {
        let events = frame["payload"]["events"].as_array()?;
        events.iter().find(|event| is_it(event)).cloned()
    };
    let frames = client.read_until(what, |frame| found(frame).is_some());
    found(frames.await.last().unwrap()).unwrap()
}

#[tokio::test]
async fn answer_reaches_the_node_that_asked() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    for (data, said) in [
        (
            json!({"values": {"size": "L"}}),
            r#"Answered: {"size":"L"}"#,
        ),
        (json!({"cancelled": true}), "Dismissed"),
        (Value::Null, "Expired"),
    ] {
        ada.send_message(Some(&thread_id), "ask").await;
        let form = event(&mut bob, "the form", |event| event["type"] == "form").await;
        if data.is_null() {
            let repository = nodes[1].worker().repository().await.unwrap();
            let scope = Scope::everyone::<talker>("w1")
                .organization("o1")
                .workspace("s1");
            let form = form["id"].as_str().unwrap();
            repository
                .remove_event(&scope, &thread_id, form)
                .await
                .unwrap();
        } else {
            let mut data = data;
            data["form_event_id"] = form["id"].clone();
            let event =
                json!({"type": "form.response", "actor": "user", "content": [], "data": data});
            bob.send(
                "event.create",
                json!({"thread_id": thread_id, "event": event}),
            )
            .await;
        }
        let is_reply = |event: &Value| event["content"][0]["text"] == said;
        event(&mut ada, said, is_reply).await;
        event(&mut bob, said, is_reply).await;
    }
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn deletion_drops_the_handler_on_the_other_node() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    ada.send_message(Some(&thread_id), "wait nodes-delete")
        .await;
    gate::arrived("nodes-delete").await;
    bob.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    gate::arrived("nodes-delete-dropped").await;
    for client in [&mut ada, &mut bob] {
        read_of(client, "thread.deleted", &thread_id).await;
    }
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn interrupting_message_stops_the_turn_of_another_node() {
    let Some(options) = shared() else { return };
    let serve = async || {
        let config = WorkerConfig::new()
            .database(Database::Postgres(options.clone()))
            .lease(Duration::from_secs(3600));
        let worker = WorkerServer::new(with_broker(config));
        let worker =
            worker.agent_with::<talker>(|agent| agent.when_busy(dooers::OnBusy::Interrupt));
        Server::start(worker).await
    };
    let nodes = [serve().await, serve().await];
    for node in &nodes {
        heard(node).await;
    }
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    ada.send_message(Some(&thread_id), "wait nodes-interrupt")
        .await;
    gate::arrived("nodes-interrupt").await;
    bob.send_message(Some(&thread_id), "instead").await;
    gate::arrived("nodes-interrupt-dropped").await;
    // The interrupted turn, and then the turn of the new message.
    let is_answer =
        |frame: &Value| frame["payload"]["events"][0]["content"][0]["text"] == "You said: instead";
    for client in [&mut ada, &mut bob] {
        client.read_until("the answer", is_answer).await;
    }
    close(nodes, [ada, bob]).await;
}
