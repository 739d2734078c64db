//! The exchange of messages: subjects, loss of the server, and foreign messages.

use super::nodes::{close, heard, node_on, read_of, two_nodes_on};
use crate::engine::at;
use dooers::store::PostgresOptions;
use dooers_tests::nats::{NatsServer, dedicated};
use dooers_tests::postgres::shared;
use dooers_tests::{Server, within};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// A database, and a NATS server with these lines in its configuration.
fn places() -> Option<(PostgresOptions, NatsServer)> {
    Some((shared()?, dedicated("")?))
}

/// The number of messages by which a node announces its start, and that it serves.
const ANNOUNCEMENTS: u64 = 2;

/// A node that hears the others. Connections therefore have the order of the nodes. It does not announce itself again.
async fn node(options: &PostgresOptions, nats: &NatsServer) -> Server {
    let lease = Duration::from_secs(3_600);
    let node = node_on(options, |config| {
        config.broker(at(&nats.url())).lease(lease)
    })
    .await;
    heard(&node).await;
    node
}

async fn two_nodes(options: &PostgresOptions, nats: &NatsServer) -> [Server; 2] {
    two_nodes_on(options, |config| config.broker(at(&nats.url()))).await
}

/// The kinds of the subjects of a connection (`all`, `p` or `t`), with the numbers of messages that were sent to it.
fn subjects(connection: &Value) -> Vec<(String, u64)> {
    let list = connection["subscriptions_list_detail"].as_array().unwrap();
    let mut subjects: Vec<_> = list
        .iter()
        .map(|subscription| {
            let subject = subscription["subject"].as_str().unwrap();
            let kind = subject.split('.').nth(2).unwrap();
            (kind.to_owned(), subscription["msgs"].as_u64().unwrap())
        })
        .filter(|(kind, _)| kind != "n")
        .collect();
    subjects.sort();
    subjects
}

fn kinds(connection: &Value) -> Vec<String> {
    let subjects = subjects(connection).into_iter();
    subjects.map(|(kind, _)| kind).collect()
}

async fn is_alone(server: &Server) {
    let alone = async {
        while !server
            .get("/readyz")
            .await
            .1
            .starts_with("ready; the other")
        {}
    };
    within("the node to be alone", alone).await;
}

#[tokio::test]
async fn node_receives_only_what_its_clients_need() {
    let Some((options, nats)) = places() else {
        return;
    };
    let nodes = [node(&options, &nats).await, node(&options, &nats).await];
    let idle = node(&options, &nats).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    read_of(&mut bob, "thread.upsert", &thread_id).await;
    let connections = nats.connections().await;
    assert_eq!(kinds(&connections[0]), ["all", "p", "t"]);
    assert_eq!(kinds(&connections[1]), ["all", "p"]);
    assert_eq!(kinds(&connections[2]), ["all"]);
    bob.subscribe(&thread_id).await;
    ada.run_turn(&thread_id, "again").await;
    bob.read_turn().await;
    let connections = nats.connections().await;
    assert_eq!(kinds(&connections[1]), ["all", "p", "t"]);
    let of_threads = |at: usize| {
        let subjects = subjects(&connections[at]).into_iter();
        let of_threads = subjects.filter(|(kind, _)| kind == "t");
        of_threads.map(|(_, messages)| messages).sum::<u64>()
    };
    assert!(of_threads(1) > 0);
    let [(kind, messages)] = &subjects(&connections[2])[..] else {
        panic!("{}", connections[2]);
    };
    assert_eq!(kind, "all");
    assert!(*messages <= 3 * ANNOUNCEMENTS, "{messages}");
    // Some time after its last client, a node leaves the subjects.
    bob.disconnect().await;
    let left = async { while kinds(&nats.connections().await[1]) != ["all"] {} };
    within("the node to leave the subjects", left).await;
    idle.close([]).await;
    let bob = nodes[1].client("bob").await;
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn tables_on_one_server_do_not_hear_each_other() {
    let Some((options, nats)) = places() else {
        return;
    };
    let Some(other) = shared() else { return };
    let nodes = [node(&options, &nats).await, node(&other, &nats).await];
    let (mut ada, bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    ada.start_thread("hello").await;
    let mut places = BTreeSet::new();
    for (at, connection) in nats.connections().await.iter().enumerate() {
        for subscription in connection["subscriptions_list_detail"].as_array().unwrap() {
            let subject = subscription["subject"].as_str().unwrap();
            let parts: Vec<_> = subject.split('.').collect();
            assert_eq!(parts[0], "dooers");
            places.insert((at, parts[1].to_owned()));
            let messages = subscription["msgs"].as_u64().unwrap();
            if at == 1 && parts[2] != "n" {
                // A node also receives what it sends.
                let most = if parts[2] == "all" { ANNOUNCEMENTS } else { 0 };
                assert!(messages <= most, "{messages} of {subject}");
            }
        }
    }
    assert_eq!(places.len(), 2, "{places:?}");
    let names: BTreeSet<_> = places.iter().map(|(_, place)| place).collect();
    assert_eq!(names.len(), 2, "{places:?}");
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn server_that_returns_is_used_again() {
    let Some((options, mut nats)) = places() else {
        return;
    };
    let nodes = two_nodes(&options, &nats).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    for number in 0..2 {
        nats.stop();
        for node in &nodes {
            is_alone(node).await;
        }
        // Found in the database.
        ada.run_turn(&thread_id, &format!("during {number}")).await;
        bob.read_turn().await;
        nats.restart();
        for node in &nodes {
            heard(node).await;
        }
        ada.run_turn(&thread_id, &format!("after {number}")).await;
        bob.read_turn().await;
        let connections = nats.connections().await;
        assert_eq!(kinds(&connections[0]), ["all", "p", "t"]);
        assert_eq!(kinds(&connections[1]), ["all", "p", "t"]);
    }
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn server_that_does_not_answer_counts_as_lost() {
    let Some((options, nats)) = places() else {
        return;
    };
    let nodes = two_nodes(&options, &nats).await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    nats.freeze();
    ada.run_turn(&thread_id, "during").await;
    bob.read_turn().await;
    is_alone(&nodes[0]).await;
    nats.thaw();
    for node in &nodes {
        heard(node).await;
    }
    ada.run_turn(&thread_id, "after").await;
    bob.read_turn().await;
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn foreign_messages_change_nothing() {
    let Some((options, nats)) = places() else {
        return;
    };
    let nodes = two_nodes(&options, &nats).await;
    let mut wire = nats.listen().await;
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    bob.subscribe(&thread_id).await;
    let (subject, text) = loop {
        let (subject, text) = wire.next().await;
        if subject.contains(".t.") {
            break (subject, text);
        }
    };
    let all = format!("{}.all", subject.split_once(".t.").unwrap().0);
    for subject in [&subject, &all] {
        for text in [&text, "", "hello", "{\"v\":2", &"x".repeat(100_000)] {
            wire.publish(subject, text).await;
        }
    }
    wire.synchronize().await;
    ada.run_turn(&thread_id, "again").await;
    bob.read_turn().await;
    for node in &nodes {
        heard(node).await;
    }
    close(nodes, [ada, bob]).await;
}

#[tokio::test]
async fn news_are_sent_before_the_node_closes() {
    let Some((options, nats)) = places() else {
        return;
    };
    let nodes = two_nodes(&options, &nats).await;
    let mut ada = nodes[0].client("ada").await;
    let thread_id = ada.start_thread("hello").await;
    let mut wire = nats.listen().await;
    let renamed = json!({"thread_id": thread_id, "title": "Renamed"});
    ada.send("thread.update", renamed).await;
    ada.read_until("the ack", |frame| frame["type"] == "ack")
        .await;
    let [one, other] = nodes;
    one.close([ada]).await;
    loop {
        let (subject, _) = wire.next().await;
        if subject.contains(".p.") {
            break;
        }
    }
    other.close([]).await;
}

#[tokio::test]
async fn nodes_on_different_servers_say_so() {
    let Some((options, one)) = places() else {
        return;
    };
    let Some(other) = dedicated("") else { return };
    let lease = Duration::from_secs(1);
    let node = async |nats: &NatsServer| {
        node_on(&options, |config| {
            config.broker(at(&nats.url())).lease(lease)
        })
        .await
    };
    let nodes = [node(&one).await, node(&other).await];
    for node in &nodes {
        let deaf = "ready; nothing arrives from some of the other nodes";
        let is_deaf = async { while !node.get("/readyz").await.1.starts_with(deaf) {} };
        within("the node to miss the other", is_deaf).await;
    }
    let (mut ada, mut bob) = (nodes[0].client("ada").await, nodes[1].client("bob").await);
    let thread_id = ada.start_thread("hello").await;
    read_of(&mut bob, "thread.upsert", &thread_id).await;
    close(nodes, [ada, bob]).await;
}
