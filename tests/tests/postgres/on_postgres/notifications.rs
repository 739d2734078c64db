//! The broker that uses `NOTIFY` and `LISTEN`.

use super::nodes::{apply, close, heard, node_with, read_of, two_nodes};
use crate::fixtures::tables;
use crate::history::events;
use dooers_tests::postgres::{connections, kill_connections, pooled, pooled_only, url};
use dooers_tests::{ThreadView, within};
use serde_json::{Value, json};
use sqlx::postgres::PgListener;
use std::collections::{HashMap, HashSet};

#[tokio::test]
async fn lost_listener_connects_again_and_misses_nothing() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    let nodes = two_nodes(&options).await;
    let (url, name) = (url().unwrap(), format!("{prefix} notifications"));
    assert_eq!(connections(&url, &name).await, 2);
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("zero").await;
    bob.subscribe(&thread_id).await;
    for number in 0..3 {
        assert_eq!(kill_connections(&url, &name, 9).await, 2);
        ada.run_turn(&thread_id, &format!("during {number}")).await;
        bob.read_turn().await;
        for node in &nodes {
            heard(node).await;
        }
        ada.run_turn(&thread_id, &format!("after {number}")).await;
        bob.read_turn().await;
    }
    assert_eq!(connections(&url, &name).await, 2);
    let mut views = HashMap::new();
    let received: Vec<Value> = bob
        .received()
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    received.iter().for_each(|frame| apply(&mut views, frame));
    let stored = events(&mut ada, &thread_id).await;
    assert_eq!(views[&thread_id].events, stored[2..]);
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn repeated_reordered_and_malformed_texts_are_harmless() {
    let Some((options, prefix)) = tables() else {
        return;
    };
    let nodes = two_nodes(&options).await;
    let channel = format!("dooers.public.{prefix}");
    let mut wire = PgListener::connect(&url().unwrap()).await.unwrap();
    wire.listen(&channel).await.unwrap();
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("zero").await;
    bob.subscribe(&thread_id).await;
    let (mut sent, mut seen) = (Vec::new(), HashSet::new());
    for number in 1..=10 {
        // The texts cause reads of the store at any time, so the message may arrive before its ack.
        ada.send_message(Some(&thread_id), &number.to_string())
            .await;
        ada.read_turn().await;
        let text = next_text(&mut wire, &mut seen).await;
        assert!(text.len() < 8000);
        sent.push(text.clone());
        let ahead = json!({"v": 1, "n": "x", "c": [{"t": thread_id, "r": u64::MAX}]});
        let odd = json!({"v": 1, "n": "x", "c": [{"t": "\u{1f}", "r": 1, "p": 1}], "s": ["x"]});
        let (ahead, odd) = (ahead.to_string(), odd.to_string());
        let version = r#"{"v":7,"n":"x"}"#;
        for text in [
            &text,
            "",
            "hello",
            "node.hello",
            r#"{"v":1"#,
            version,
            &ahead,
            &odd,
            &text,
        ] {
            notify(&mut wire, &channel, text).await;
        }
    }
    for text in sent.iter().rev() {
        notify(&mut wire, &channel, text).await;
    }
    let mut views = HashMap::new();
    let of_all = |views: &HashMap<String, ThreadView>| {
        views
            .get(&thread_id)
            .is_some_and(|view| view.events.len() == 20)
    };
    while !of_all(&views) {
        apply(&mut views, &bob.next().await);
    }
    // Nothing follows, and the nodes continue to work.
    for frame in bob.read_pending().await {
        apply(&mut views, &frame);
    }
    bob.send_message(Some(&thread_id), "still there").await;
    bob.read_turn().await;
    ada.read_turn().await;
    let stored = events(&mut ada, &thread_id).await;
    assert_eq!(views[&thread_id].events, stored[2..22]);
    close(nodes, [ada, bob]).await;
}

/// Waits for a text of a node. Texts that the test sends come back as well.
async fn next_text(wire: &mut PgListener, seen: &mut HashSet<String>) -> String {
    loop {
        let text = within("a notification", wire.recv()).await.unwrap();
        let text = text.payload().to_owned();
        // Nodes seal their messages behind their ids, so those of the test look different.
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let is_sealed = |text: &str| text.len() > 60 && text.bytes().all(is_base64);
        let is_of_node = text
            .split_once('.')
            .is_some_and(|(_, text)| is_sealed(text));
        if is_of_node && seen.insert(text.clone()) {
            return text;
        }
    }
}

async fn notify(wire: &mut PgListener, channel: &str, text: &str) {
    let notify = sqlx::query("SELECT pg_notify($1, $2)")
        .bind(channel)
        .bind(text);
    notify.execute(wire).await.unwrap();
}

#[tokio::test]
async fn broker_bypasses_a_pooler_by_the_direct_url() {
    let Some(options) = pooled() else { return };
    let nodes = two_nodes(&options).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    read_of(&mut bob, "thread.upsert", &thread_id).await;
    bob.subscribe(&thread_id).await;
    ada.run_turn(&thread_id, "again").await;
    bob.read_turn().await;
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn without_a_broker_changes_are_found_by_comparing() {
    let Some(options) = pooled_only() else {
        return;
    };
    let node = async || node_with(&options, |config| config).await;
    let nodes = [node().await, node().await];
    for node in &nodes {
        let (status, text) = node.get("/readyz").await;
        assert_eq!(status, 200, "{text}");
        assert!(
            text.starts_with("ready; the other nodes cannot be reached"),
            "{text}"
        );
    }
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    ada.run_turn(&thread_id, "again").await;
    bob.read_turn().await;
    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    read_of(&mut bob, "thread.deleted", &thread_id).await;
    close(nodes, [ada, bob]).await;
}
