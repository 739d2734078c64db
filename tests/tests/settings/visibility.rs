//! Visibility and permissions of settings.

use crate::agents::every;
use crate::asserts::{field, ids, patch, patch_error, subscribe, subscribed, with_role};
use dooers_tests::{Identity, Server};
use serde_json::{Value, json};

#[tokio::test]
async fn user_sees_no_creator_or_internal_fields() {
    let server = Server::of::<every>().await;
    let (user, shown) = subscribed(&server, "member", "user").await;
    let (creator, shown_to_creator) = subscribed(&server, "owner", "creator").await;
    let mut expected = vec![
        "name", "note", "prompt", "model", "tone", "whole", "large", "signed", "decimal", "narrow",
        "check", "key", "address", "day", "logo", "even", "fixed", "guarded",
    ];
    assert_eq!(ids(&shown), expected);
    expected.push("budget");
    assert_eq!(ids(&shown_to_creator), expected);
    assert_eq!(field(&shown_to_creator, "budget")["visibility"], "creator");
    for shown in [shown, shown_to_creator] {
        assert!(!shown.to_string().contains("trace"), "{shown}");
    }
    server.close([user, creator]).await;
}

#[tokio::test]
async fn creator_audience_requires_the_role() {
    let server = Server::of::<every>().await;
    for (identity, is_allowed) in [
        (with_role("owner"), true),
        (with_role("manager"), true),
        (with_role("member"), false),
        (with_role("admin"), false),
        (Identity::of("ada"), false),
    ] {
        let mut client = server.client(identity).await;
        if is_allowed {
            subscribe(&mut client, "creator").await;
        } else {
            // A claim to own the agent is ignored.
            let asked = json!({"audience": "creator", "agent_owner_user_id": "ada"});
            let code = client
                .send_expecting_error("settings.subscribe", asked)
                .await;
            assert_eq!(code, "FORBIDDEN");
            patch(&mut client, "note", json!("still a user")).await;
        }
        client.disconnect().await;
    }
    let mut client = server.client(with_role("owner")).await;
    let asked = json!({"audience": "king"});
    let code = client
        .send_expecting_error("settings.subscribe", asked)
        .await;
    assert_eq!(code, "INVALID_PAYLOAD");
    server.close([client]).await;
}

#[tokio::test]
async fn patch_is_rejected_by_field_visibility() {
    let server = Server::of::<every>().await;
    let (mut user, _) = subscribed(&server, "member", "user").await;
    let (mut creator, _) = subscribed(&server, "owner", "creator").await;
    // An owner who did not request the creator audience is a user.
    let (mut modest, _) = subscribed(&server, "owner", "user").await;
    for (field, value, as_user, as_creator) in [
        ("fixed", json!("x"), "READONLY", "READONLY"),
        ("guarded", json!("x"), "READONLY", ""),
        ("budget", json!(5), "NOT_FOUND", ""),
        ("trace", json!("x"), "INTERNAL", "INTERNAL"),
        ("nothing", json!("x"), "NOT_FOUND", "NOT_FOUND"),
        ("more", json!("x"), "NOT_FOUND", "NOT_FOUND"),
        ("", json!("x"), "NOT_FOUND", "NOT_FOUND"),
    ] {
        assert_eq!(
            patch_error(&mut user, field, value.clone()).await.0,
            as_user
        );
        assert_eq!(
            patch_error(&mut modest, field, value.clone()).await.0,
            as_user
        );
        if as_creator.is_empty() {
            patch(&mut creator, field, value).await;
        } else {
            assert_eq!(patch_error(&mut creator, field, value).await.0, as_creator);
        }
        if field == "guarded" {
            // This field is visible to all users, but `budget` is not.
            user.expect("settings.patch").await;
            modest.expect("settings.patch").await;
        }
    }
    user.expect_nothing().await;
    modest.expect_nothing().await;
    server.close([user, creator, modest]).await;
}

#[tokio::test]
async fn secret_is_never_shown() {
    let server = Server::of::<every>().await;
    let (mut owner, before) = subscribed(&server, "owner", "creator").await;
    let (mut user, _) = subscribed(&server, "member", "user").await;
    let key = field(&before, "key");
    assert_eq!(
        (&key["value"], &key["has_value"]),
        (&Value::Null, &json!(false))
    );
    let published = patch(&mut owner, "key", json!("correct horse")).await;
    assert_eq!(published["value"], Value::Null);
    assert_eq!(user.expect("settings.patch").await, published);
    let after = subscribe(&mut owner, "creator").await;
    let key = field(&after, "key");
    assert_eq!(
        (&key["value"], &key["has_value"]),
        (&Value::Null, &json!(true))
    );
    assert!(!after.to_string().contains("horse"));
    patch(&mut owner, "key", Value::Null).await;
    user.expect("settings.patch").await;
    let cleared = field(&subscribe(&mut owner, "creator").await, "key");
    assert_eq!(cleared["has_value"], false);
    server.close([owner, user]).await;
}

#[tokio::test]
async fn public_schema_has_user_fields_before_connect() {
    let server = Server::of::<every>().await;
    let mut stranger = server.open().await;
    let id = stranger.send("settings.public_schema", json!({})).await;
    let frame = stranger.next().await;
    assert_eq!(frame["type"], "settings.public_schema.result");
    assert_eq!(frame["id"], id.as_str());
    let schema = &frame["payload"]["schema"];
    assert_eq!(schema["version"], "2.1");
    let (mut user, shown) = subscribed(&server, "member", "user").await;
    assert_eq!(schema["fields"], shown["fields"]);
    // The schema contains the defaults and no stored values.
    patch(&mut user, "name", json!("changed")).await;
    let again = user
        .request(
            "settings.public_schema",
            json!({}),
            "settings.public_schema.result",
        )
        .await;
    assert_eq!(again["schema"], *schema);
    server.close([stranger, user]).await;
}

#[tokio::test]
async fn settings_of_another_worker_are_isolated() {
    let server = Server::of::<every>().await;
    let (mut here, _) = subscribed(&server, "member", "user").await;
    let other = Identity::of("eve").with("agent_id", "w2");
    let mut there = server.client(other).await;
    for verb in ["settings.subscribe", "settings.unsubscribe"] {
        for member in ["worker_id", "agent_id"] {
            let code = there
                .send_expecting_error(verb, json!({member: "w1"}))
                .await;
            assert_eq!(code, "FORBIDDEN", "{verb}");
        }
    }
    let shown = subscribe(&mut there, "user").await;
    assert_eq!(shown["worker_id"], "w2");
    patch(&mut there, "note", json!("of w2")).await;
    here.expect_nothing().await;
    patch(&mut here, "note", json!("of w1")).await;
    there.expect_nothing().await;
    let shown = subscribe(&mut there, "user").await;
    assert_eq!(field(&shown, "note")["value"], "of w2");
    server.close([here, there]).await;
}
