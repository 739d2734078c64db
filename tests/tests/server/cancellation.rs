//! Cancellation of turns.

use crate::agents::script;
use crate::asserts::{appended, events, string, texts};
use dooers::prelude::*;
use dooers::{ServerError, WorkerServer};
use dooers_tests::{Client, Identity, Server, SpyStore, gate, in_memory, within};
use serde_json::{Value, json};
use std::sync::Arc;

/// Opens a gate when dropped.
struct OpenGateOnDrop(String);

impl Drop for OpenGateOnDrop {
    fn drop(&mut self) {
        gate::arrive(&self.0);
    }
}

/// Waits at the gate that the message names. A spawned task waits for its cancellation token.
#[dooers::agent]
async fn delegating(request: WorkerRequest, response: WorkerResponse, token: CancellationToken) {
    let key = request.message.clone();
    let _dropped = OpenGateOnDrop(format!("{key}-dropped"));
    let fired = format!("{key}-fired");
    tokio::spawn(async move {
        token.cancelled().await;
        gate::arrive(&fired);
    });
    response.text("before");
    gate::pass(&key).await;
    response.text("after");
}

/// Sends a message whose turn waits at a gate. Returns the ids of the thread, the event and the run.
async fn begin(
    client: &mut Client,
    thread_id: Option<&str>,
    text: &str,
) -> (String, String, String) {
    let id = client.send_message(thread_id, text).await;
    client.expect_ack(&id).await;
    let frames = client
        .read_until("the run", |frame| frame["type"] == "run.upsert")
        .await;
    let event = &appended(&frames)[0];
    let run = &frames.last().unwrap()["payload"]["run"];
    assert_eq!(run["status"], "running");
    (
        string(&event["thread_id"]),
        string(&event["id"]),
        string(&run["id"]),
    )
}

/// Sends a message that must be queued. Returns the id of its event.
async fn queue(client: &mut Client, thread_id: &str, text: &str) -> String {
    let id = client.send_message(Some(thread_id), text).await;
    client.expect_ack(&id).await;
    let appended = client.expect("event.append").await;
    string(&appended["events"][0]["id"])
}

/// Cancels a turn and reads the ack.
async fn cancel(client: &mut Client, payload: Value) {
    let id = client.send("run.cancel", payload).await;
    client.expect_ack(&id).await;
}

async fn run_of(client: &mut Client) -> Value {
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let frames = client.read_until("a run", is_run).await;
    frames.last().unwrap()["payload"]["run"].clone()
}

#[tokio::test]
async fn cancel_drops_handler_fires_token_and_ends_run() {
    let server = Server::of::<delegating>().await;
    let mut client = server.client("ada").await;
    let (thread_id, _, run_id) = begin(&mut client, None, "cancel-a").await;
    gate::arrived("cancel-a").await;
    client.expect("event.append").await;
    cancel(&mut client, json!({"run_id": run_id})).await;
    let ended = run_of(&mut client).await;
    assert_eq!(
        (&ended["id"], &ended["status"]),
        (&json!(run_id), &json!("canceled"))
    );
    assert_eq!(ended["error"], Value::Null);
    assert!(ended["ended_at"].is_string());
    gate::arrived("cancel-a-dropped").await;
    gate::arrived("cancel-a-fired").await;
    // Events sent before the cancellation are kept, and no further event follows.
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(texts(&events(&snapshot)), ["cancel-a", "before"]);
    server.close([client]).await;
}

#[tokio::test]
async fn running_turn_can_be_canceled_by_message_id() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let (_, event_id, run_id) = begin(&mut client, None, "wait cancel-b").await;
    gate::arrived("cancel-b").await;
    cancel(&mut client, json!({"event_id": event_id})).await;
    let ended = run_of(&mut client).await;
    assert_eq!(
        (&ended["id"], &ended["status"]),
        (&json!(run_id), &json!("canceled"))
    );
    server.close([client]).await;
}

#[tokio::test]
async fn queued_message_is_withdrawn_others_are_answered() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let (thread_id, _, first) = begin(&mut client, None, "wait cancel-c").await;
    gate::arrived("cancel-c").await;
    let second = queue(&mut client, &thread_id, "say never").await;
    queue(&mut client, &thread_id, "say three").await;
    cancel(&mut client, json!({"event_id": second})).await;
    let withdrawn = client.expect("run.upsert").await["run"].clone();
    assert_eq!(withdrawn["status"], "canceled");
    assert_ne!(withdrawn["id"], first.as_str());
    assert_eq!(withdrawn["started_at"], withdrawn["ended_at"]);
    gate::open("cancel-c");
    let ended = run_of(&mut client).await;
    assert_eq!(
        (&ended["id"], &ended["status"]),
        (&json!(first), &json!("succeeded"))
    );
    let frames = client.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["three"]);
    server.close([client]).await;
}

#[tokio::test]
async fn withdrawn_message_shows_its_run_after_a_reload() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let (thread_id, _, first) = begin(&mut client, None, "wait cancel-reload").await;
    gate::arrived("cancel-reload").await;
    let second = queue(&mut client, &thread_id, "say never").await;
    let third = queue(&mut client, &thread_id, "say three").await;
    cancel(&mut client, json!({"event_id": second})).await;
    let withdrawn = client.expect("run.upsert").await["run"].clone();

    let mut reloaded = server.client("ada").await;
    let snapshot = reloaded.subscribe(&thread_id).await;
    let all = json!({"thread_id": thread_id});
    let before = json!({"thread_id": thread_id, "before_event_id": third, "limit": 1});
    let mut page = async |payload| {
        let page = reloaded.request("event.list", payload, "event.list.result");
        page.await["runs"].clone()
    };
    for runs in [snapshot["runs"].clone(), page(all).await] {
        assert_eq!(runs.as_array().unwrap().len(), 2, "{runs}");
        assert_eq!(runs[0]["id"], first);
        assert_eq!(runs[1], withdrawn);
    }
    assert_eq!(page(before).await, json!([withdrawn]));
    gate::open("cancel-reload");
    run_of(&mut client).await;
    server.close([client, reloaded]).await;
}

#[tokio::test]
async fn next_message_is_answered_after_a_canceled_turn() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let (thread_id, _, run_id) = begin(&mut client, None, "wait cancel-d\nsay never").await;
    gate::arrived("cancel-d").await;
    queue(&mut client, &thread_id, "say next").await;
    cancel(&mut client, json!({"run_id": run_id})).await;
    assert_eq!(run_of(&mut client).await["status"], "canceled");
    let frames = client.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["next"]);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    server.close([client]).await;
}

#[tokio::test]
async fn cancel_of_an_ended_run_changes_nothing() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    client.send_message(None, "say one").await;
    let frames = client.read_turn().await;
    let run_id = string(&frames.last().unwrap()["payload"]["run"]["id"]);
    let event_id = string(&appended(&frames)[0]["id"]);
    for payload in [json!({"run_id": run_id}), json!({"event_id": event_id})] {
        cancel(&mut client, payload).await;
    }
    client.expect_nothing().await;
    let thread_id = string(&appended(&frames)[0]["thread_id"]);
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(snapshot["runs"][0]["status"], "succeeded");
    server.close([client]).await;
}

#[tokio::test]
async fn other_scopes_cannot_cancel_turns() {
    let server = Server::with::<script>(|config| config.private_threads(true)).await;
    let mut client = server.client("ada").await;
    let (thread_id, event_id, run_id) = begin(&mut client, None, "wait cancel-e\nsay done").await;
    gate::arrived("cancel-e").await;
    let waiting = queue(&mut client, &thread_id, "say second").await;
    for identity in [
        Identity::of("bob"),
        Identity::of("ada").with("organization_id", "o2"),
        Identity::of("ada").with("workspace_id", "s2"),
        Identity::of("ada").with("agent_id", "w2"),
    ] {
        let mut other = server.client(identity).await;
        for payload in [
            json!({"run_id": run_id}),
            json!({"event_id": event_id}),
            json!({"event_id": waiting}),
            json!({"run_id": "nothing"}),
        ] {
            assert_eq!(
                other.send_expecting_error("run.cancel", payload).await,
                "NOT_FOUND"
            );
        }
        other.disconnect().await;
    }
    client.expect_nothing().await;
    gate::open("cancel-e");
    let frames = client.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["done"]);
    let frames = client.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["second"]);
    server.close([client]).await;
}

#[tokio::test]
async fn cancel_needs_exactly_one_target() {
    let server = Server::of::<script>().await;
    let mut stranger = server.open().await;
    let early = stranger
        .send_expecting_error("run.cancel", json!({"run_id": "x"}))
        .await;
    assert_eq!(early, "NOT_CONNECTED");
    let mut client = server.client("ada").await;
    for payload in [
        json!({}),
        json!({"run_id": null}),
        json!({"run_id": "a", "event_id": "b"}),
        json!({"run_id": 5}),
        json!({"run_id": "r".repeat(129)}),
    ] {
        let code = client.send_expecting_error("run.cancel", payload).await;
        assert_eq!(code, "INVALID_PAYLOAD");
    }
    server.close([stranger, client]).await;
}

#[tokio::test]
async fn turn_is_canceled_before_it_begins() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut watching = server.client("bob").await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("say one").await;
    watching.read_pending().await;
    watching.subscribe(&thread_id).await;
    // The turn is claimed in the store, but the server does not know it yet.
    let mut held = store.hold("begin_turn");
    let id = client.send_message(Some(&thread_id), "wait cancel-f").await;
    held.reached().await;
    let snapshot = watching.subscribe(&thread_id).await;
    let event_id = string(&events(&snapshot)[2]["id"]);
    cancel(&mut watching, json!({"event_id": event_id})).await;
    held.release();
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "canceled"
    );
    assert_eq!(gate::waiting("cancel-f"), 0, "its handler never began");
    server.close([watching, client]).await;
}

#[tokio::test]
async fn deleting_a_thread_cancels_its_turn() {
    let server = Server::of::<delegating>().await;
    let mut client = server.client("ada").await;
    let (thread_id, ..) = begin(&mut client, None, "cancel-g").await;
    gate::arrived("cancel-g").await;
    client.expect("event.append").await;
    client
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    gate::arrived("cancel-g-dropped").await;
    gate::arrived("cancel-g-fired").await;
    server.close([client]).await;
}

#[tokio::test]
async fn program_cancels_a_run() {
    let worker = WorkerServer::new(in_memory()).agent::<script>();
    let server = Server::start(worker.clone()).await;
    let mut client = server.client("ada").await;
    let (.., run_id) = begin(&mut client, None, "wait cancel-h").await;
    gate::arrived("cancel-h").await;
    within("the cancellation", worker.cancel_run(&run_id))
        .await
        .unwrap();
    assert_eq!(run_of(&mut client).await["status"], "canceled");
    within("the cancellation", worker.cancel_run(&run_id))
        .await
        .unwrap();
    let unknown = worker.cancel_run("nothing").await.unwrap_err();
    assert!(matches!(unknown, ServerError::Store(_)), "{unknown}");
    client.expect_nothing().await;
    server.close([client]).await;
}
