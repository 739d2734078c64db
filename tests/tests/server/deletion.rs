//! A thread that is deleted.

use crate::agents::script;
use crate::asserts::{kinds, string};
use dooers::prelude::*;
use dooers_tests::{Client, Server, gate};
use serde_json::json;

async fn delete(client: &mut Client, thread_id: &str) {
    let here = json!({"thread_id": thread_id});
    let id = client.send("thread.delete", here.clone()).await;
    assert_eq!(client.expect("thread.deleted").await, here);
    client.accepted(&id).await;
}

#[tokio::test]
async fn all_who_may_see_a_thread_are_told_that_it_is_gone_and_it_stays_gone() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut subscriber = server.client("bob").await;
    let mut other = server.client("eve").await;
    let thread_id = ada.begin("say one").await;
    let kept = ada.begin("say two").await;
    subscriber.pending().await;
    other.pending().await;
    subscriber.subscribe(&thread_id).await;

    delete(&mut ada, &thread_id).await;
    for client in [&mut subscriber, &mut other] {
        assert_eq!(
            client.expect("thread.deleted").await,
            json!({"thread_id": thread_id})
        );
        client.has_nothing().await;
    }
    for client in [&mut ada, &mut subscriber] {
        for kind in [
            "thread.subscribe",
            "thread.unsubscribe",
            "thread.delete",
            "event.list",
        ] {
            let code = client.refusal(kind, json!({"thread_id": thread_id})).await;
            assert_eq!(code, "NOT_FOUND", "{kind}");
        }
        let id = client.message(Some(&thread_id), "say again").await;
        assert_eq!(client.refused(&id).await.0, "NOT_FOUND");
        let list = client
            .ask("thread.list", json!({}), "thread.list.result")
            .await;
        assert_eq!(list["total_count"], 1);
        assert_eq!(list["threads"][0]["id"], kept.as_str());
    }
    other.has_nothing().await;
    server.close([ada, subscriber, other]).await;
}

#[tokio::test]
async fn who_deletes_need_not_be_subscribed() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let thread_id = ada.begin("say one").await;
    bob.pending().await;
    delete(&mut bob, &thread_id).await;
    ada.expect("thread.deleted").await;
    ada.has_nothing().await;
    server.close([ada, bob]).await;
}

/// Tells when it is dropped.
struct Guard(String);

impl Drop for Guard {
    fn drop(&mut self) {
        gate::arrive(&format!("{} dropped", self.0));
    }
}

/// Waits at the gate that the message names, for ever.
#[dooers::agent]
async fn endless(request: WorkerRequest) {
    let _guard = Guard(request.message.clone());
    gate::pass(&request.message).await;
}

#[tokio::test]
async fn a_running_handler_is_stopped_and_a_waiting_message_never_runs() {
    let server = Server::of::<endless>().await;
    let mut client = server.client("ada").await;
    let id = client.message(None, "deleting-running").await;
    client.accepted(&id).await;
    let created = client.expect("thread.upsert").await;
    let thread_id = string(&created["thread"]["id"]);
    gate::arrived("deleting-running").await;
    client.message(Some(&thread_id), "deleting-waiting").await;
    client.pending().await;

    delete(&mut client, &thread_id).await;
    gate::arrived("deleting-running dropped").await;
    client.has_nothing().await;
    // The server goes on, and the waiting message was forgotten.
    let id = client.message(None, "deleting-next").await;
    client.accepted(&id).await;
    gate::arrived("deleting-next").await;
    gate::open("deleting-next");
    assert_eq!(kinds(&client.turn().await).len(), 5);
    assert_eq!(gate::waiting("deleting-waiting"), 0);
    server.close([client]).await;
}

#[tokio::test]
async fn who_was_unsubscribed_is_told_too() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let thread_id = ada.begin("say one").await;
    bob.pending().await;
    bob.subscribe(&thread_id).await;
    bob.done("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    // Twice is as good as once.
    bob.done("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    delete(&mut ada, &thread_id).await;
    assert_eq!(kinds(&bob.pending().await), ["thread.deleted"]);
    server.close([ada, bob]).await;
}
