//! Frames of dispatched turns: clients receive the same frames as for their own turns.

use crate::agents::actor;
use crate::fixtures::{message, send, server};
use dooers::{Database, WorkerServer};
use dooers_tests::{Identity, Server, SpyStore, gate, in_memory, within};
use serde_json::Value;

fn kinds(frames: &[Value]) -> Vec<&str> {
    let kinds = frames.iter().map(|frame| frame["type"].as_str().unwrap());
    kinds.collect()
}

#[tokio::test]
async fn subscriber_receives_message_and_answer_live() {
    let server = Server::start(server()).await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say hello").await;
    ada.read_pending().await;
    let dispatched = message::<actor>(server.worker(), "say by program").thread(&thread_id);
    let turn = send(dispatched).await;
    assert!(!turn.is_new_thread());
    let frames = ada.read_turn().await;
    assert_eq!(
        kinds(&frames),
        [
            "event.append",
            "run.upsert",
            "event.append",
            "thread.upsert",
            "run.upsert"
        ]
    );
    let event = &frames[0]["payload"]["events"][0];
    assert_eq!(event["id"], turn.event_id());
    assert_eq!(event["actor"], "user");
    assert_eq!(event["user"]["user_id"], "ada");
    assert_eq!(event["seq"], 3);
    within("the turn", turn.text()).await.unwrap();
    server.close([ada]).await;
}

#[tokio::test]
async fn dropped_dispatch_is_still_stored_and_answered() {
    let store = SpyStore::memory();
    let config = in_memory().database(Database::Custom(store.clone()));
    let server = Server::start(WorkerServer::new(config)).await;
    let first = send(message::<actor>(server.worker(), "say one").thread("t")).await;
    within("the turn", first.text()).await.unwrap();
    let mut ada = server.client("ada").await;
    ada.subscribe("t").await;

    let mut held = store.hold("begin_turn");
    let second = message::<actor>(server.worker(), "say two").thread("t");
    let given_up = tokio::spawn(second.send());
    held.reached().await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    held.release();
    let frames = within("the turn", ada.read_turn()).await;
    let texts: Vec<_> = frames
        .iter()
        .filter(|frame| frame["type"] == "event.append")
        .map(|frame| frame["payload"]["events"][0]["content"][0]["text"].clone())
        .collect();
    assert_eq!(texts, ["say two", "two"]);
    server.close([ada]).await;
}

#[tokio::test]
async fn new_thread_is_published_only_to_its_audience() {
    let server = Server::start(server()).await;
    let mut ada = server.client("ada").await;
    let mut other = server
        .client(Identity::of("ada").with("workspace_id", "s2"))
        .await;
    let turn = send(message::<actor>(server.worker(), "say news")).await;
    let thread_id = turn.thread_id().to_owned();
    within("the turn", turn.text()).await.unwrap();
    let frames = ada.read_pending().await;
    assert_eq!(kinds(&frames), ["thread.upsert", "thread.upsert"]);
    assert_eq!(frames[0]["payload"]["thread"]["id"], thread_id);
    assert_eq!(kinds(&other.read_pending().await), Vec::<&str>::new());
    server.close([ada, other]).await;
}

#[tokio::test]
async fn client_and_program_messages_share_one_queue() {
    let server = Server::start(server()).await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say hello").await;
    ada.read_pending().await;
    ada.send_message(Some(&thread_id), "wait turn-by-turn\nsay one")
        .await;
    gate::arrived("turn-by-turn").await;
    let two = message::<actor>(server.worker(), "say two").thread(&thread_id);
    let two = send(two).await;
    ada.send_message(Some(&thread_id), "say three").await;
    gate::open("turn-by-turn");
    assert_eq!(within("the turn", two.text()).await.unwrap(), "two");
    let mut said = Vec::new();
    for _ in 0..3 {
        for frame in ada.read_turn().await {
            let event = &frame["payload"]["events"][0];
            if event["actor"] == "assistant" {
                said.push(event["content"][0]["text"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(said, ["one", "two", "three"]);
    server.close([ada]).await;
}
