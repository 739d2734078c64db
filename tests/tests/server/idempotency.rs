//! A message that is sent again.

use crate::agents::script;
use crate::asserts::{appended, events, kinds, string, texts};
use dooers_tests::{Client, Identity, Server, Watched};
use serde_json::{Value, json};
use std::sync::Arc;

/// The stored event that a repeated message's sender gets again.
async fn repeated(client: &mut Client, id: &str) -> Value {
    client.accepted(id).await;
    let mut appended = client.expect("event.append").await;
    appended["events"][0].take()
}

#[tokio::test]
async fn on_the_same_connection_it_is_the_same_message() {
    let store = Watched::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = server.client("ada").await;
    let id = client.message_as("m1", None, "say one").await;
    client.accepted(&id).await;
    let frames = client.turn().await;
    let event = appended(&frames).remove(0);
    let thread_id = string(&event["thread_id"]);

    for thread in [None, Some(thread_id.as_str())] {
        let id = client.message_as("m1", thread, "say one").await;
        assert_eq!(repeated(&mut client, &id).await, event);
        client.has_nothing().await;
    }
    assert_eq!(store.calls("finish_turn"), 1);
    let list = client
        .ask(
            "event.list",
            json!({"thread_id": thread_id}),
            "event.list.result",
        )
        .await;
    assert_eq!(texts(&events(&list)), ["say one", "one"]);
    server.close([client]).await;
}

#[tokio::test]
async fn after_a_reconnect_its_sender_gets_the_event_and_what_came_after_it() {
    let server = Server::of::<script>().await;
    let mut first = server.client("ada").await;
    let id = first.message_as("m1", None, "say one\nsay two").await;
    first.accepted(&id).await;
    let frames = first.turn().await;
    let thread_id = string(&appended(&frames)[0]["thread_id"]);
    first.leave().await;

    // The ack was lost, so the client does not know the thread.
    let mut again = server.client("ada").await;
    let id = again.message_as("m1", None, "say one\nsay two").await;
    assert_eq!(repeated(&mut again, &id).await, appended(&frames)[0]);
    let rest = again.turn().await;
    assert_eq!(texts(&appended(&rest)), ["one", "two"]);
    assert_eq!(
        rest.last().unwrap()["payload"],
        frames.last().unwrap()["payload"]
    );
    // It is subscribed, as who sends is.
    let frames = again.converse(&thread_id, "say three").await;
    assert_eq!(texts(&appended(&frames)), ["say three", "three"]);
    let list = again
        .ask("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 1);
    server.close([again]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sent_by_several_connections_at_once_it_is_stored_and_answered_once() {
    let store = Watched::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(server.client("ada").await);
    }
    let sending = clients
        .iter_mut()
        .map(|client| client.message_as("m1", None, "say one"));
    futures::future::join_all(sending).await;
    let mut ids = Vec::new();
    for client in &mut clients {
        let frames = client.turn().await;
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
        .ask("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 1);
    server.close(clients).await;
}

#[tokio::test]
async fn with_another_content_or_thread_it_is_a_conflict() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let other = client.begin("say other").await;
    let id = client.message_as("m1", None, "say one").await;
    client.accepted(&id).await;
    client.turn().await;
    let id = client.message_as("m1", None, "say two").await;
    assert_eq!(client.refused(&id).await.0, "CONFLICT");
    let id = client.message_as("m1", Some(&other), "say one").await;
    assert_eq!(client.refused(&id).await.0, "CONFLICT");
    client.has_nothing().await;
    server.close([client]).await;
}

#[tokio::test]
async fn the_same_id_of_another_user_or_workspace_is_another_message() {
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
        let id = client.message_as("m1", None, "say mine").await;
        client.accepted(&id).await;
        let expected = [
            "thread.upsert",
            "event.append",
            "run.upsert",
            "event.append",
            "thread.upsert",
            "run.upsert",
        ];
        assert_eq!(kinds(&client.turn().await), expected);
        client.leave().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn of_a_deleted_thread_it_does_not_come_back() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let id = client.message_as("m1", None, "say one").await;
    client.accepted(&id).await;
    let thread_id = string(&appended(&client.turn().await)[0]["thread_id"]);
    client
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    client.pending().await;
    for thread in [None, Some(thread_id.as_str())] {
        let id = client.message_as("m1", thread, "say one").await;
        assert_eq!(client.refused(&id).await.0, "NOT_FOUND");
    }
    server.close([client]).await;
}

#[tokio::test]
async fn size_in_another_notation_is_the_same_message() {
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
    client.accepted(&id).await;
    let frames = client.turn().await;
    let event = appended(&frames).remove(0);
    assert_eq!(event["content"][0]["size_bytes"].to_string(), "1024");

    let id = client.send("event.create", message(1024.0, true)).await;
    assert_eq!(repeated(&mut client, &id).await, event);
    let id = client.send("event.create", message(1024.5, false)).await;
    let (code, text) = client.refused(&id).await;
    assert_eq!(code, "INVALID_PAYLOAD");
    assert!(
        text.contains("`size_bytes`: `1024.5` is not a whole number"),
        "{text}"
    );
    server.close([client]).await;
}
