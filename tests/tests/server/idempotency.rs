//! Messages that are sent again.

use crate::agents::script;
use crate::asserts::{appended, events, kinds, string, texts};
use dooers_tests::{Client, Identity, Server, SpyStore};
use serde_json::{Value, json};
use std::sync::Arc;

/// The stored event that the sender of a repeated message receives.
async fn repeated(client: &mut Client, id: &str) -> Value {
    client.expect_ack(id).await;
    let mut appended = client.expect("event.append").await;
    appended["events"][0].take()
}

#[tokio::test]
async fn repeat_on_the_same_connection_is_one_message() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = server.client("ada").await;
    let id = client.send_message_as("m1", None, "say one").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let event = appended(&frames).remove(0);
    let thread_id = string(&event["thread_id"]);

    for thread in [None, Some(thread_id.as_str())] {
        let id = client.send_message_as("m1", thread, "say one").await;
        assert_eq!(repeated(&mut client, &id).await, event);
        client.expect_nothing().await;
    }
    assert_eq!(store.calls("finish_turn"), 1);
    let list = client
        .request(
            "event.list",
            json!({"thread_id": thread_id}),
            "event.list.result",
        )
        .await;
    assert_eq!(texts(&events(&list)), ["say one", "one"]);
    server.close([client]).await;
}

#[tokio::test]
async fn repeat_after_reconnect_returns_missed_events() {
    let server = Server::of::<script>().await;
    let mut first = server.client("ada").await;
    let id = first.send_message_as("m1", None, "say one\nsay two").await;
    first.expect_ack(&id).await;
    let frames = first.read_turn().await;
    let thread_id = string(&appended(&frames)[0]["thread_id"]);
    first.disconnect().await;

    // The ack was lost, so the client does not know the thread.
    let mut again = server.client("ada").await;
    let id = again.send_message_as("m1", None, "say one\nsay two").await;
    assert_eq!(repeated(&mut again, &id).await, appended(&frames)[0]);
    let rest = again.read_turn().await;
    assert_eq!(texts(&appended(&rest)), ["one", "two"]);
    assert_eq!(
        rest.last().unwrap()["payload"],
        frames.last().unwrap()["payload"]
    );
    // The sender of a message is subscribed to its thread.
    let frames = again.run_turn(&thread_id, "say three").await;
    assert_eq!(texts(&appended(&frames)), ["say three", "three"]);
    let list = again
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 1);
    server.close([again]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_repeats_are_stored_and_answered_once() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(server.client("ada").await);
    }
    let sending = clients
        .iter_mut()
        .map(|client| client.send_message_as("m1", None, "say one"));
    futures::future::join_all(sending).await;
    let mut ids = Vec::new();
    for client in &mut clients {
        let frames = client.read_turn().await;
        let events = appended(&frames);
        assert_eq!(texts(&events), ["say one", "one"]);
        let acks: Vec<_> = frames
            .iter()
            .filter(|frame| frame["type"] == "ack")
            .collect();
        assert_eq!(acks.len(), 1);
        assert_eq!(acks[0]["payload"]["ok"], true);
        ids.push(string(&events[0]["id"]));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(store.calls("begin_turn"), 8);
    assert_eq!(store.calls("finish_turn"), 1);
    let list = clients[0]
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 1);
    server.close(clients).await;
}

#[tokio::test]
async fn id_reused_for_other_content_is_a_conflict() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let other = client.start_thread("say other").await;
    let id = client.send_message_as("m1", None, "say one").await;
    client.expect_ack(&id).await;
    client.read_turn().await;
    let id = client.send_message_as("m1", None, "say two").await;
    assert_eq!(client.expect_error(&id).await.0, "CONFLICT");
    let id = client.send_message_as("m1", Some(&other), "say one").await;
    assert_eq!(client.expect_error(&id).await.0, "CONFLICT");
    client.expect_nothing().await;
    server.close([client]).await;
}

#[tokio::test]
async fn id_of_another_user_is_another_message() {
    let server = Server::of::<script>().await;
    let ada = Identity::of("ada");
    let identities = [
        ada.clone(),
        Identity::of("bob"),
        ada.clone().with("agent_id", "w2"),
        ada.clone().with("organization_id", "o2"),
        ada.clone().with("workspace_id", "s2"),
    ];
    for identity in identities {
        let mut client = server.client(identity).await;
        let id = client.send_message_as("m1", None, "say mine").await;
        client.expect_ack(&id).await;
        let expected = [
            "thread.upsert",
            "event.append",
            "run.upsert",
            "event.append",
            "thread.upsert",
            "run.upsert",
        ];
        assert_eq!(kinds(&client.read_turn().await), expected);
        client.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn repeat_does_not_restore_a_deleted_thread() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message_as("m1", None, "say one").await;
    client.expect_ack(&id).await;
    let thread_id = string(&appended(&client.read_turn().await)[0]["thread_id"]);
    client
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    client.read_pending().await;
    for thread in [None, Some(thread_id.as_str())] {
        let id = client.send_message_as("m1", thread, "say one").await;
        assert_eq!(client.expect_error(&id).await.0, "NOT_FOUND");
    }
    server.close([client]).await;
}

#[tokio::test]
async fn repeat_with_other_number_notation_is_the_same() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let message = |size: f64, is_whole: bool| {
        let mut part =
            json!({"type": "document", "url": "u", "filename": "a.txt", "size_bytes": size});
        if is_whole {
            part["size_bytes"] = json!(1024);
        }
        let event = json!({"type": "message", "actor": "user", "content": [part]});
        json!({"client_event_id": "m1", "event": event})
    };
    let id = client.send("event.create", message(1024.0, false)).await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let event = appended(&frames).remove(0);
    assert_eq!(event["content"][0]["size_bytes"].to_string(), "1024");

    let id = client.send("event.create", message(1024.0, true)).await;
    assert_eq!(repeated(&mut client, &id).await, event);
    let id = client.send("event.create", message(1024.5, false)).await;
    let (code, text) = client.expect_error(&id).await;
    assert_eq!(code, "INVALID_PAYLOAD");
    assert!(
        text.contains("`size_bytes`: `1024.5` is not a whole number"),
        "{text}"
    );
    server.close([client]).await;
}
