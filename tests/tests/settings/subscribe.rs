//! Settings snapshots and the changes that follow them.

use crate::agents::{every, none};
use crate::asserts::{field, patch, subscribe, subscribed, with_role};
use dooers::WorkerServer;
use dooers_tests::{Server, SpyStore};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn snapshot_has_every_member_of_the_protocol() {
    let server = Server::of::<every>().await;
    let (client, shown) = subscribed(&server, "member", "user").await;
    assert_eq!(
        (&shown["worker_id"], &shown["agent_id"]),
        (&json!("w1"), &json!("w1"))
    );
    assert!(shown["updated_at"].as_str().unwrap().ends_with('Z'));
    let members = [
        "id",
        "type",
        "label",
        "required",
        "readonly",
        "value",
        "placeholder",
        "options",
        "min",
        "max",
        "rows",
        "src",
        "width",
        "height",
        "visibility",
        "user_editable",
    ];
    for item in crate::asserts::fields(&shown) {
        for member in members {
            assert!(item.get(member).is_some(), "{member} is missing in {item}");
        }
    }
    let types = [
        "text", "text", "textarea", "select", "select", "number", "number", "number", "number",
        "number", "checkbox", "password", "email", "date", "image",
    ];
    let shown_types: Vec<_> = crate::asserts::fields(&shown)[..types.len()]
        .iter()
        .map(|field| field["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown_types, types);
    let name = field(&shown, "name");
    assert_eq!(name["label"], "Name");
    assert_eq!(name["description"], "The name of the agent.");
    assert_eq!(
        (&name["required"], &name["value"]),
        (&json!(true), &json!("hello"))
    );
    assert_eq!(
        (&name["min_length"], &name["max_length"]),
        (&json!(2), &json!(8))
    );
    assert_eq!(name["pattern"], "^[a-zäöü]+$");
    let whole = field(&shown, "whole");
    assert_eq!(
        (&whole["min"], &whole["max"], &whole["step"]),
        (&json!(5), &json!(105), &json!(10))
    );
    let tone = json!([
        {"value": "friendly", "label": "Friendly"},
        {"value": "very_formal", "label": "Very formal"},
    ]);
    assert_eq!(field(&shown, "tone")["options"], tone);
    assert_eq!(field(&shown, "prompt")["rows"], 4);
    let group = shown["fields"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (
            &group["id"],
            &group["label"],
            &group["collapsible"],
            &group["visibility"]
        ),
        (
            &json!("more"),
            &json!("More"),
            &json!("closed"),
            &json!("user")
        )
    );
    server.close([client]).await;
}

#[tokio::test]
async fn change_is_sent_to_subscribers_and_its_sender() {
    let server = Server::of::<every>().await;
    let (mut first, _) = subscribed(&server, "member", "user").await;
    let (mut left, _) = subscribed(&server, "member", "user").await;
    left.send_expecting_ack("settings.unsubscribe", json!({}))
        .await;
    let mut never = server.client("bob").await;
    let mut sender = server.client("eve").await;
    // A sender without a subscription receives its own change, too.
    let published = patch(&mut sender, "note", json!("hello")).await;
    assert_eq!(published["value"], "hello");
    sender.expect_nothing().await;
    assert_eq!(first.expect("settings.patch").await, published);
    first.expect_nothing().await;
    left.expect_nothing().await;
    never.expect_nothing().await;
    // A subscribed sender receives its change once.
    patch(&mut first, "note", json!("again")).await;
    first.expect_nothing().await;
    server.close([first, left, never, sender]).await;
}

#[tokio::test]
async fn subscription_ends_on_resubscribe_or_reconnect() {
    let server = Server::of::<every>().await;
    let (mut client, _) = subscribed(&server, "owner", "creator").await;
    subscribe(&mut client, "user").await;
    let (mut creator, _) = subscribed(&server, "owner", "creator").await;
    patch(&mut creator, "budget", json!(20)).await;
    client.expect_nothing().await;
    client.connect(with_role("owner")).await;
    patch(&mut creator, "note", json!("x")).await;
    client.expect_nothing().await;
    server.close([client, creator]).await;
}

#[tokio::test]
async fn agent_without_settings_is_not_configured() {
    let server = Server::of::<none>().await;
    let mut client = server.open().await;
    let public = client
        .send_expecting_error("settings.public_schema", json!({}))
        .await;
    assert_eq!(public, "NOT_CONFIGURED");
    let early = client
        .send_expecting_error("settings.subscribe", json!({}))
        .await;
    assert_eq!(early, "NOT_CONNECTED");
    client.connect("ada").await;
    for verb in [
        "settings.subscribe",
        "settings.unsubscribe",
        "settings.patch",
    ] {
        let code = client
            .send_expecting_error(verb, json!({"field_id": "x"}))
            .await;
        assert_eq!(code, "NOT_CONFIGURED", "{verb}");
    }
    server.close([client]).await;
}

#[tokio::test]
async fn invalid_payload_changes_nothing() {
    let server = Server::of::<every>().await;
    let (mut client, _) = subscribed(&server, "member", "user").await;
    for payload in [
        json!({}),
        json!({"field_id": 5, "value": 1}),
        json!({"field_id": null}),
        json!([]),
    ] {
        let code = client.send_expecting_error("settings.patch", payload).await;
        assert_eq!(code, "INVALID_PAYLOAD");
    }
    client.expect_nothing().await;
    server.close([client]).await;
}

/// Holds the store's response while a second client subscribes. Its snapshot contains the change, or the change
/// follows.
#[tokio::test]
async fn subscribe_during_a_change_has_no_gaps_or_repeats() {
    let store = SpyStore::memory();
    let server = Server::with::<every>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut sender = server.client("ada").await;
    let mut held = store.hold("put_settings");
    let id = sender
        .send(
            "settings.patch",
            json!({"field_id": "note", "value": "new"}),
        )
        .await;
    held.reached().await;
    let mut other = server.client("bob").await;
    let asked = other.send("settings.subscribe", json!({})).await;
    held.release();
    sender.expect_ack(&id).await;
    let published = sender.expect("settings.patch").await;
    let snapshot = other.expect("settings.snapshot").await;
    other.expect_ack(&asked).await;
    assert_eq!(field(&snapshot, "note")["value"], "new");
    assert_eq!(snapshot["updated_at"], published["updated_at"]);
    other.expect_nothing().await;
    server.close([sender, other]).await;
}

/// A server whose connections have small queues.
async fn small_server() -> Server {
    let config = dooers_tests::in_memory().limits(|limits| {
        limits.outbound_frames = 4;
        limits.outbound_bytes = 4 * 1024;
    });
    Server::start_with_small_buffers(WorkerServer::new(config).agent::<every>()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_creator_gets_nothing_as_a_member() {
    let server = small_server().await;
    let mut slow = server.client_with_small_buffer(with_role("owner")).await;
    subscribe(&mut slow, "creator").await;
    let (mut quick, _) = subscribed(&server, "owner", "creator").await;
    for number in 0..400 {
        let padding = "x".repeat(2_000);
        patch(&mut quick, "note", json!(format!("{number} {padding}"))).await;
        patch(&mut quick, "budget", json!(number)).await;
    }
    // The queue is full, so the newest values wait in the store when the client becomes another user.
    let id = slow.send("connect", with_role("member").payload()).await;
    let frames = slow
        .read_until("the ack", |frame| frame["type"] == "ack")
        .await;
    assert_eq!(frames.last().unwrap()["payload"]["ack_id"], id.as_str());
    slow.expect_nothing().await;
    server.close([slow, quick]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_subscriber_ends_with_the_newest_values() {
    let server = small_server().await;
    let mut slow = server.client_with_small_buffer(with_role("member")).await;
    subscribe(&mut slow, "user").await;
    let (mut quick, _) = subscribed(&server, "member", "user").await;
    for number in 0..400 {
        let padding = "x".repeat(2_000);
        patch(&mut quick, "note", json!(format!("{number} {padding}"))).await;
        patch(&mut quick, "large", json!(number)).await;
    }
    let is_last = |frame: &Value, field: &str, value: &Value| {
        frame["payload"]["field_id"] == field && frame["payload"]["value"] == *value
    };
    let last_note = json!(format!("399 {}", "x".repeat(2_000)));
    let (mut note, mut large) = (false, false);
    let mut newest = -1;
    while !(note && large) {
        let frame = slow.next().await;
        assert_eq!(frame["type"], "settings.patch");
        note |= is_last(&frame, "note", &last_note);
        large |= is_last(&frame, "large", &json!(399));
        if frame["payload"]["field_id"] == "large" {
            let value = frame["payload"]["value"].as_i64().unwrap();
            assert!(value >= newest, "{value} after {newest}");
            newest = value;
        }
    }
    server.close([slow, quick]).await;
}
