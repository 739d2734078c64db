//! Changes that overtake each other between the store and the clients.
//!
//! The tests hold a response of the store: the operation is done, but its caller does not know yet.

use crate::agents::script;
use crate::asserts::{appended, kinds, seqs, string};
use dooers_tests::{Client, HeldCall, Server, SpyStore, gate};
use serde_json::{Value, json};
use std::sync::Arc;

async fn server(store: &Arc<SpyStore>) -> Server {
    Server::with::<script>(|config| config.store(Arc::clone(store) as _)).await
}

/// Sends a message and waits until the store's response to this call is held.
async fn held(
    store: &Arc<SpyStore>,
    method: &'static str,
    client: &mut Client,
    thread_id: &str,
    text: &str,
) -> HeldCall {
    let mut held = store.hold(method);
    client.send_message(Some(thread_id), text).await;
    held.reached().await;
    held
}

#[tokio::test]
async fn deletion_during_a_write_is_final_for_all_clients() {
    let store = SpyStore::memory();
    let server = server(&store).await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say one").await;
    let mut subscriber = server.client("bob").await;
    let mut other = server.client("eve").await;
    subscriber.subscribe(&thread_id).await;

    let held = held(&store, "write_turn", &mut ada, &thread_id, "stored two").await;
    ada.read_pending().await;
    subscriber.read_pending().await;
    let here = json!({"thread_id": thread_id});
    let id = other.send("thread.delete", here.clone()).await;
    assert_eq!(other.expect("thread.deleted").await, here);
    other.expect_ack(&id).await;
    assert_eq!(ada.expect("thread.deleted").await, here);
    assert_eq!(subscriber.expect("thread.deleted").await, here);
    held.release();
    for client in [&mut ada, &mut subscriber, &mut other] {
        client.expect_nothing().await;
    }
    server.close([ada, subscriber, other]).await;
}

#[tokio::test]
async fn message_racing_a_turn_end_is_published_after_it() {
    let store = SpyStore::memory();
    let server = server(&store).await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let thread_id = ada.start_thread("say one").await;
    bob.read_pending().await;
    bob.subscribe(&thread_id).await;

    let held = held(&store, "finish_turn", &mut ada, &thread_id, "say two").await;
    // The store has ended the previous turn, so this one starts at once.
    let id = ada
        .send_message(Some(&thread_id), "wait overtaking\nsay three")
        .await;
    gate::arrived("overtaking").await;
    held.release();
    gate::open("overtaking");
    let until_end = |frames: &[Value]| seqs(&appended(frames)).last() == Some(&6);
    for client in [&mut ada, &mut bob] {
        let mut frames = Vec::new();
        while !until_end(&frames) {
            frames.append(&mut client.read_turn().await);
        }
        let frames: Vec<Value> = frames
            .into_iter()
            .filter(|frame| frame["type"] != "ack")
            .collect();
        let turn = [
            "event.append",
            "run.upsert",
            "event.append",
            "thread.upsert",
            "run.upsert",
        ];
        assert_eq!(kinds(&frames), [turn, turn].concat());
        assert_eq!(seqs(&appended(&frames)), [3, 4, 5, 6]);
    }
    assert!(!id.is_empty());
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn turn_racing_the_previous_end_can_be_canceled() {
    let store = SpyStore::memory();
    let server = server(&store).await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say one").await;
    let first = held(&store, "finish_turn", &mut ada, &thread_id, "say two").await;
    ada.send_message(Some(&thread_id), "wait overtaking-stopped\nsay three")
        .await;
    gate::arrived("overtaking-stopped").await;
    first.release();
    ada.read_pending().await;

    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    ada.read_until("the deletion", |frame| frame["type"] == "ack")
        .await;
    gate::open("overtaking-stopped");
    // The handler was dropped before it passed the gate, and its turn was never finished.
    ada.expect_nothing().await;
    assert_eq!(store.calls("finish_turn"), 2);
    server.close([ada]).await;
}

#[tokio::test]
async fn row_does_not_overtake_events_of_a_slow_reader() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| {
        config
            .store(Arc::clone(&store) as _)
            .limits(|limits| limits.outbound_frames = 4)
    })
    .await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let id = ada
        .send_message(None, "wait overtaking-row\nburst 50")
        .await;
    ada.expect_ack(&id).await;
    let thread_id = string(&ada.expect("thread.upsert").await["thread"]["id"]);
    gate::arrived("overtaking-row").await;
    ada.read_pending().await;
    ada.send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    bob.read_pending().await;
    bob.subscribe(&thread_id).await;

    // Only Bob is subscribed. He receives four events. The others must be read from the store for him.
    let mut reading = store.hold("catch_up");
    gate::open("overtaking-row");
    reading.reached().await;
    // A first message of another user changes the row.
    let mut eve = server.client("eve").await;
    eve.run_turn(&thread_id, "say last").await;
    reading.release();

    let mut frames = Vec::new();
    while seqs(&appended(&frames)).last() != Some(&53) {
        frames.push(bob.next().await);
    }
    assert_eq!(seqs(&appended(&frames)), (2..=53).collect::<Vec<_>>());
    crate::slow_readers::assert_in_order(&frames);
    server.close([ada, bob, eve]).await;
}

#[tokio::test]
async fn non_subscriber_receives_no_outdated_row() {
    let store = SpyStore::memory();
    let server = server(&store).await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say one").await;
    let id = ada
        .send_message(Some(&thread_id), "wait overtaking-older\ntitle New")
        .await;
    ada.expect_ack(&id).await;
    gate::arrived("overtaking-older").await;
    ada.read_pending().await;
    ada.send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    let mut bob = server.client("bob").await;
    let mut other = server.client("eve").await;

    // The row with Bob is stored first and published last.
    let held = held(&store, "begin_turn", &mut bob, &thread_id, "say two").await;
    gate::open("overtaking-older");
    let is_new = |frame: &Value| frame["payload"]["thread"]["title"] == "New";
    other.read_until("the newer row", is_new).await;
    held.release();
    bob.read_turn().await;
    for frame in other.read_pending().await {
        assert_eq!(frame["payload"]["thread"]["title"], "New", "{frame}");
    }
    server.close([ada, bob, other]).await;
}

#[tokio::test]
async fn row_overtaken_by_a_deletion_is_not_published() {
    let store = SpyStore::memory();
    let server = server(&store).await;
    let mut ada = server.client("ada").await;
    let mut other = server.client("eve").await;
    let thread_id = ada.start_thread("say one").await;
    other.read_pending().await;
    let held = held(&store, "finish_turn", &mut ada, &thread_id, "say two").await;
    other
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    other.expect("thread.deleted").await;
    other.expect("ack").await;
    ada.read_pending().await;
    held.release();
    other.expect_nothing().await;
    ada.expect_nothing().await;
    server.close([ada, other]).await;
}
