//! Deletion of threads.

use crate::agents::script;
use crate::asserts::{kinds, string};
use dooers::prelude::*;
use dooers_tests::{Client, Server, gate};
use serde_json::json;

async fn delete(client: &mut Client, thread_id: &str) {
    let here = json!({"thread_id": thread_id});
    let id = client.send("thread.delete", here.clone()).await;
    assert_eq!(client.expect("thread.deleted").await, here);
    client.expect_ack(&id).await;
}

#[tokio::test]
async fn deletion_is_published_and_permanent() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut subscriber = server.client("bob").await;
    let mut other = server.client("eve").await;
    let thread_id = ada.start_thread("say one").await;
    let kept = ada.start_thread("say two").await;
    subscriber.read_pending().await;
    other.read_pending().await;
    subscriber.subscribe(&thread_id).await;

    delete(&mut ada, &thread_id).await;
    for client in [&mut subscriber, &mut other] {
        assert_eq!(
            client.expect("thread.deleted").await,
            json!({"thread_id": thread_id})
        );
        client.expect_nothing().await;
    }
    for client in [&mut ada, &mut subscriber] {
        for kind in [
            "thread.subscribe",
            "thread.unsubscribe",
            "thread.delete",
            "event.list",
        ] {
            let code = client
                .send_expecting_error(kind, json!({"thread_id": thread_id}))
                .await;
            assert_eq!(code, "NOT_FOUND", "{kind}");
        }
        let id = client.send_message(Some(&thread_id), "say again").await;
        assert_eq!(client.expect_error(&id).await.0, "NOT_FOUND");
        let list = client
            .request("thread.list", json!({}), "thread.list.result")
            .await;
        assert_eq!(list["total_count"], 1);
        assert_eq!(list["threads"][0]["id"], kept.as_str());
    }
    other.expect_nothing().await;
    server.close([ada, subscriber, other]).await;
}

#[tokio::test]
async fn deletion_needs_no_subscription() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let thread_id = ada.start_thread("say one").await;
    bob.read_pending().await;
    delete(&mut bob, &thread_id).await;
    ada.expect("thread.deleted").await;
    ada.expect_nothing().await;
    server.close([ada, bob]).await;
}

/// Reports that it was dropped.
struct Guard(String);

impl Drop for Guard {
    fn drop(&mut self) {
        gate::arrive(&format!("{} dropped", self.0));
    }
}

/// Waits forever at the gate that the message names.
#[dooers::agent]
async fn endless(request: WorkerRequest) {
    let _guard = Guard(request.message.clone());
    gate::pass(&request.message).await;
}

#[tokio::test]
async fn deletion_stops_handler_and_drops_queued_message() {
    let server = Server::of::<endless>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "deleting-running").await;
    client.expect_ack(&id).await;
    let created = client.expect("thread.upsert").await;
    let thread_id = string(&created["thread"]["id"]);
    gate::arrived("deleting-running").await;
    client
        .send_message(Some(&thread_id), "deleting-waiting")
        .await;
    client.read_pending().await;

    delete(&mut client, &thread_id).await;
    gate::arrived("deleting-running dropped").await;
    client.expect_nothing().await;
    // The server keeps working, and the queued message is gone.
    let id = client.send_message(None, "deleting-next").await;
    client.expect_ack(&id).await;
    gate::arrived("deleting-next").await;
    gate::open("deleting-next");
    assert_eq!(kinds(&client.read_turn().await).len(), 5);
    assert_eq!(gate::waiting("deleting-waiting"), 0);
    server.close([client]).await;
}

#[tokio::test]
async fn deletion_is_published_to_unsubscribed_clients() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let thread_id = ada.start_thread("say one").await;
    bob.read_pending().await;
    bob.subscribe(&thread_id).await;
    bob.send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    // Unsubscribing twice is allowed.
    bob.send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    delete(&mut ada, &thread_id).await;
    assert_eq!(kinds(&bob.read_pending().await), ["thread.deleted"]);
    server.close([ada, bob]).await;
}
