//! The identity of a connection.

use crate::agents::{echo, quiet};
use crate::asserts::{normal, string};
use dooers_tests::{Identity, Server};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn connect_ack_describes_the_server() {
    let server = Server::of::<quiet>().await;
    let mut client = server.open().await;
    let ack = client.connect("ada").await;
    let expected = json!({
        "ack_id": "frame-0",
        "ok": true,
        "server": {"name": "dooers", "version": env!("CARGO_PKG_VERSION"), "capabilities": ["auth.expiring", "event.delta", "form.ask", "run.cancel", "thread.query", "thread.update"]},
    });
    let mut ack = normal(&ack);
    ack["ack_id"] = json!("frame-0");
    assert_eq!(ack, expected);
    server.close([client]).await;
}

#[tokio::test]
async fn every_identity_shape_names_the_same_user() {
    let server = Server::of::<quiet>().await;
    let ada = Identity::of("ada");
    let shapes = [
        ada.clone(),
        ada.clone().using_worker_id(),
        ada.clone().nested_in_metadata(),
        ada.clone().flat(),
        ada.clone().flat().using_worker_id(),
    ];
    let mut known = Vec::new();
    for shape in shapes {
        let mut client = server.client(shape.clone()).await;
        known.push(client.start_thread("hello").await);
        let list = client
            .request("thread.list", json!({}), "thread.list.result")
            .await;
        let threads = list["threads"].as_array().unwrap();
        assert_eq!(threads.len(), known.len(), "{shape:?}");
        for thread in threads {
            assert_eq!(thread["owner"]["user_id"], "ada");
            assert_eq!(thread["organization_id"], "o1");
            assert_eq!(thread["workspace_id"], "s1");
            assert_eq!(thread["worker_id"], "w1");
            assert_eq!(thread["agent_id"], "w1");
        }
        client.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn every_identity_shape_has_name_email_and_roles() {
    let server = Server::of::<quiet>().await;
    let user = json!({
        "user_id": "ada", "user_name": "Ada", "user_email": "ada@example.org", "identity_ids": ["1", "2"],
    });
    let with_roles = json!({
        "user_id": "ada", "user_name": "Ada", "user_email": "ada@example.org", "identity_ids": [],
        "system_role": "user", "organization_role": "admin", "workspace_role": "member",
    });
    let defaults = |role: &str, ids: Value| {
        json!({
            "user_id": "ada", "user_name": "Ada", "user_email": "ada@example.org", "identity_ids": ids,
            "system_role": "user", "organization_role": role, "workspace_role": "member",
        })
    };
    let nested = json!({
        "user_id": "ada", "user_name": "Ada", "user_email": "ada@example.org", "user_role": "admin",
    });
    let flat = json!({
        "worker_id": "w", "user_id": "ada", "user_name": "Ada", "user_email": "ada@example.org",
    });
    let shapes = [
        (
            json!({"worker_id": "w", "user": user}),
            defaults("member", json!(["1", "2"])),
        ),
        (
            json!({"worker_id": "w", "user": with_roles}),
            defaults("admin", json!([])),
        ),
        (
            json!({"worker_id": "w", "metadata": nested}),
            defaults("admin", json!([])),
        ),
        (flat, defaults("member", json!([]))),
    ];
    for (payload, expected) in shapes {
        let mut client = server.open().await;
        client.send_expecting_ack("connect", payload).await;
        let id = client.send_message(None, "hello").await;
        client.expect_ack(&id).await;
        let thread = client.expect("thread.upsert").await;
        assert_eq!(thread["thread"]["owner"], expected);
        assert_eq!(thread["thread"]["users"], json!([expected]));
        let appended = client.expect("event.append").await;
        assert_eq!(appended["events"][0]["user"], expected);
        client.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn connect_without_a_worker_can_be_corrected() {
    let server = Server::of::<quiet>().await;
    let mut client = server.open().await;
    for payload in [
        json!({}),
        json!({"worker_id": ""}),
        json!({"worker_id": null, "agent_id": null}),
        json!({"user_id": "ada"}),
        json!({"worker_id": 5}),
        json!({"worker_id": "w".repeat(129)}),
        json!({"worker_id": "w", "organization_id": "o".repeat(129)}),
        json!({"worker_id": "w", "workspace_id": "s".repeat(129)}),
        json!({"worker_id": "w", "user_id": "u".repeat(129)}),
        json!({"worker_id": "w", "user": "ada"}),
    ] {
        let code = client
            .send_expecting_error("connect", payload.clone())
            .await;
        assert_eq!(code, "INVALID_PAYLOAD", "{payload}");
    }
    assert_eq!(
        client.send_expecting_error("thread.list", json!({})).await,
        "NOT_CONNECTED"
    );
    client.connect("ada").await;
    server.close([client]).await;
}

#[tokio::test]
async fn only_public_verbs_are_answered_before_connect() {
    let server = Server::of::<quiet>().await;
    let mut client = server.open().await;
    for kind in [
        "thread.list",
        "thread.subscribe",
        "thread.unsubscribe",
        "thread.update",
        "thread.delete",
        "event.create",
        "event.list",
        "feedback",
        "settings.subscribe",
        "settings.unsubscribe",
        "settings.patch",
    ] {
        assert_eq!(
            client.send_expecting_error(kind, json!({})).await,
            "NOT_CONNECTED",
            "{kind}"
        );
    }
    client.expect_nothing().await;
    let code = client
        .send_expecting_error("settings.public_schema", json!({}))
        .await;
    assert_eq!(code, "NOT_CONFIGURED");
    assert_eq!(
        client.send_expecting_error("no.such.verb", json!({})).await,
        "INVALID_FRAME"
    );
    client.connect("ada").await;
    server.close([client]).await;
}

#[tokio::test]
async fn verbs_of_missing_features_are_not_configured() {
    let server = Server::of::<quiet>().await;
    let mut client = server.client("ada").await;
    for kind in [
        "settings.subscribe",
        "settings.unsubscribe",
        "settings.patch",
        "settings.public_schema",
    ] {
        assert_eq!(
            client
                .send_expecting_error(kind, json!({"field_id": "any"}))
                .await,
            "NOT_CONFIGURED",
            "{kind}"
        );
    }
    server.close([client]).await;
}

#[tokio::test]
async fn second_connect_replaces_identity_and_subscriptions() {
    let server = Server::of::<echo>().await;
    let mut ada = server.client("ada").await;
    let mut changing = server.client("bob").await;
    let thread_id = ada.start_thread("hello").await;
    changing.read_pending().await;
    changing.subscribe(&thread_id).await;

    changing
        .connect(Identity::of("bob").with("organization_id", "o2"))
        .await;
    ada.run_turn(&thread_id, "still there?").await;
    changing.expect_nothing().await;
    let code = changing
        .send_expecting_error("thread.subscribe", json!({"thread_id": thread_id}))
        .await;
    assert_eq!(code, "NOT_FOUND");

    // After it connects again, it receives thread rows like every client, but no more events.
    changing.connect("bob").await;
    ada.run_turn(&thread_id, "and now?").await;
    let received = changing.read_pending().await;
    assert_eq!(crate::asserts::kinds(&received), ["thread.upsert"]);

    // A rejected `connect` changes nothing.
    changing.subscribe(&thread_id).await;
    assert_eq!(
        changing.send_expecting_error("connect", json!({})).await,
        "INVALID_PAYLOAD"
    );
    ada.run_turn(&thread_id, "once more").await;
    assert_eq!(changing.read_turn().await.len(), 5);
    let id = changing.send_message(None, "mine").await;
    changing.expect_ack(&id).await;
    let created = changing.expect("thread.upsert").await;
    assert_eq!(string(&created["thread"]["owner"]["user_id"]), "bob");
    server.close([ada, changing]).await;
}

#[tokio::test]
async fn session_without_connect_is_closed_with_1013() {
    let server = Server::with::<quiet>(|config| {
        config.limits(|limits| limits.connect_timeout = Duration::from_millis(50))
    })
    .await;
    let mut never = server.open().await;
    assert_eq!(never.expect_close().await, 1013);

    // Pings and rejected frames do not count as `connect`.
    let mut busy = server.open().await;
    busy.send("ping", json!({})).await;
    busy.send("connect", json!({})).await;
    assert_eq!(busy.expect_close().await, 1013);
    server.close([]).await;
}

#[tokio::test]
async fn session_that_connects_in_time_stays_open() {
    let server = Server::with::<quiet>(|config| {
        config.limits(|limits| limits.connect_timeout = Duration::from_secs(1))
    })
    .await;
    let mut known = server.client("ada").await;
    // This session was opened later, so its deadline is later.
    let mut never = server.open().await;
    assert_eq!(never.expect_close().await, 1013);
    known.expect_nothing().await;
    server.close([known]).await;
}
