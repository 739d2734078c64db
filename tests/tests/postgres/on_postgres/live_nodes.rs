//! Settings, analytics and connections between the servers of one database.

use super::nodes::heard;
use crate::fixtures::tables;
use dooers::prelude::*;
use dooers::settings::Keyring;
use dooers::store::PostgresOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::postgres::{pooled_only, shared, url};
use dooers_tests::{Client, Identity, Server, within};
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use sqlx::Executor;
use std::collections::HashSet;

#[derive(Debug, Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "plain")]
    style: String,
    #[setting(default = "short")]
    length: String,
    key: Option<Secret>,
}

#[dooers::agent]
async fn tuned(settings: Settings<Tuning>) -> Result<String> {
    Ok(settings.get().await?.style)
}

async fn node(options: &PostgresOptions) -> Server {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let config = WorkerConfig::new()
        .database(Database::Postgres(options.clone()))
        .secret_keys(key.parse::<Keyring>().unwrap());
    Server::start(WorkerServer::new(config).agent::<tuned>()).await
}

/// Two nodes that hear each other.
async fn two_nodes(options: &PostgresOptions) -> [Server; 2] {
    let nodes = [node(options).await, node(options).await];
    for node in &nodes {
        heard(node).await;
    }
    nodes
}

async fn close(nodes: [Server; 2], clients: impl IntoIterator<Item = Client>) {
    for client in clients {
        client.disconnect().await;
    }
    for node in nodes {
        node.close([]).await;
    }
}

async fn subscribed(node: &Server, user: &str) -> Client {
    let mut client = node.client(user).await;
    let id = client.send("settings.subscribe", json!({})).await;
    client.expect("settings.snapshot").await;
    client.expect_ack(&id).await;
    client
}

async fn patch(client: &mut Client, field_id: &str, value: &str) {
    let patch = json!({"field_id": field_id, "value": value});
    client.send("settings.patch", patch).await;
}

/// Reads until this field has this value.
async fn read_value(client: &mut Client, field_id: &str, value: impl Into<Value>) {
    let value = value.into();
    let is_it = |frame: &Value| {
        let payload = &frame["payload"];
        frame["type"] == "settings.patch"
            && payload["field_id"] == field_id
            && payload["value"] == value
    };
    client.read_until("the value", is_it).await;
}

#[tokio::test]
async fn settings_are_live_on_other_nodes() {
    let Some((options, _)) = tables() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (
        subscribed(&nodes[0], "ada").await,
        subscribed(&nodes[1], "bob").await,
    );
    let here = nodes[0].worker().settings::<Tuning>("w1").await.unwrap();
    let there = nodes[1].worker().settings::<Tuning>("w1").await.unwrap();
    let mut watch = there.watch();
    assert_eq!(there.get().await.unwrap().style, "plain");
    patch(&mut ada, "style", "bold").await;
    read_value(&mut bob, "style", "bold").await;
    let update = within("the change", watch.next()).await.unwrap();
    assert_eq!((update.old, update.new), (json!("plain"), json!("bold")));
    assert_eq!(there.get().await.unwrap().style, "bold");
    here.set_value("key", "hush").await.unwrap();
    read_value(&mut bob, "key", Value::Null).await;
    let update = within("the secret", watch.next()).await.unwrap();
    assert_eq!((update.old, update.new), (Value::Null, Value::Null));
    // Sealing the secret again is not a change.
    here.set_value("key", "hush").await.unwrap();
    here.set_value("style", Value::Null).await.unwrap();
    read_value(&mut bob, "style", "plain").await;
    let update = within("the removal", watch.next()).await.unwrap();
    assert_eq!((update.old, update.new), (json!("bold"), json!("plain")));
    assert_eq!(watch.next().now_or_never(), None);
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn concurrent_patches_end_at_the_store() {
    const PATCHES: usize = 20;
    let Some((options, _)) = tables() else { return };
    let nodes = two_nodes(&options).await;
    let mut patching = Vec::new();
    for number in 0..4 {
        let mut client = subscribed(&nodes[number % 2], &format!("user{number}")).await;
        patching.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            for patched in 0..PATCHES {
                let value = format!("{number}-{patched}");
                patch(&mut client, "style", &value).await;
                patch(&mut client, "length", &value).await;
                let is_own = |frame: &Value| {
                    let payload = &frame["payload"];
                    payload["field_id"] == "length" && payload["value"] == value.as_str()
                };
                seen.extend(client.read_until("the own patch", is_own).await);
            }
            (client, seen)
        }));
    }
    let mut clients = Vec::new();
    for patched in patching {
        clients.push(within("all patches", patched).await.unwrap());
    }
    let settings = nodes[0].worker().settings::<Tuning>("w1").await.unwrap();
    let stored = settings.get().await.unwrap();
    for (client, seen) in &mut clients {
        for (field, value) in [("style", &stored.style), ("length", &stored.length)] {
            while last(seen, field) != Some(&json!(value)) {
                seen.push(client.next().await);
            }
        }
        seen.extend(client.read_pending().await);
        // Each value was set once.
        let patches = seen
            .iter()
            .filter(|frame| frame["type"] == "settings.patch");
        let patches: Vec<_> = patches
            .map(|frame| {
                let payload = &frame["payload"];
                format!("{} {}", payload["field_id"], payload["value"])
            })
            .collect();
        let distinct: HashSet<_> = patches.iter().collect();
        assert_eq!(distinct.len(), patches.len(), "{patches:#?}");
        assert_eq!(last(seen, "style"), Some(&json!(stored.style)));
        assert_eq!(last(seen, "length"), Some(&json!(stored.length)));
    }
    close(nodes, clients.into_iter().map(|(client, _)| client)).await;

    fn last<'a>(frames: &'a [Value], field_id: &str) -> Option<&'a Value> {
        let mut patches = frames.iter().rev().map(|frame| &frame["payload"]);
        let patch = patches.find(|payload| payload["field_id"] == field_id)?;
        Some(&patch["value"])
    }
}

/// Executes a statement on a connection of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "the statement names the table of the test"
)]
async fn execute(statement: String) {
    let url = url().unwrap();
    let mut connection = dooers_tests::postgres::connect(&url).await.unwrap();
    let statement = sqlx::AssertSqlSafe(statement);
    connection.execute(statement).await.unwrap();
}

#[tokio::test]
async fn clock_that_is_ahead_hides_no_change() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    let nodes = two_nodes(&options).await;
    let mut ada = subscribed(&nodes[0], "ada").await;
    patch(&mut ada, "style", "bold").await;
    read_value(&mut ada, "style", "bold").await;
    let mut bob = subscribed(&nodes[1], "bob").await;
    // Only the database changes, so nothing announces it.
    let table = format!("{prefix}settings");
    let ahead = format!("UPDATE {table} SET updated_at = updated_at + interval '1 day'");
    execute(ahead).await;
    for value in ["italic", "thin", "bold"] {
        patch(&mut ada, "style", value).await;
        read_value(&mut bob, "style", value).await;
    }
    let behind = format!(r#"UPDATE {table} SET value = '"wide"'"#);
    execute(behind).await;
    for client in [&mut ada, &mut bob] {
        read_value(client, "style", "wide").await;
    }
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn without_a_broker_settings_are_compared() {
    let Some(options) = pooled_only() else {
        return;
    };
    let nodes = [node(&options).await, node(&options).await];
    let (mut ada, mut bob) = (
        subscribed(&nodes[0], "ada").await,
        subscribed(&nodes[1], "bob").await,
    );
    for value in ["one", "two"] {
        patch(&mut ada, "style", value).await;
        read_value(&mut bob, "style", value).await;
    }
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn analytics_reach_subscribers_of_other_nodes() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let mut ada = nodes[0].client("ada").await;
    let owner = json!({"user_id": "bob", "organization_role": "owner"});
    let owner = Identity::of("bob").with("user", owner);
    let mut bob = nodes[1].client(owner).await;
    bob.send_expecting_ack("analytics.subscribe", json!({}))
        .await;
    let thread_id = ada.start_thread("hello").await;
    // The other node hears of the subscription a moment later.
    let of_event = |frames: &[Value], name: &str| {
        let named = |frame: &&Value| frame["payload"]["event"] == name;
        frames.iter().any(|frame| named(&frame))
    };
    loop {
        ada.run_turn(&thread_id, "again").await;
        if of_event(&bob.read_pending().await, "message.c2s") {
            break;
        }
    }
    let like = json!({
        "target_type": "thread", "target_id": thread_id, "feedback": "like",
    });
    ada.send("feedback", like).await;
    let is_feedback = |frame: &Value| frame["payload"]["event"] == "feedback.like";
    bob.read_until("the feedback", is_feedback).await;
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn disconnect_reaches_other_nodes() {
    let Some(options) = shared() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (nodes[1].client("ada").await, nodes[1].client("bob").await);
    let closed = nodes[0].worker().disconnect("bob").await.unwrap();
    assert_eq!(closed, 0);
    assert_eq!(bob.expect_close().await, 1008);
    ada.start_thread("hello").await;
    close(nodes, [ada]).await;
}
