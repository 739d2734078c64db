//! The reports of processes.

use crate::backends::{AnyStore, cases};
use dooers::store::{NodeInfo, NodeReport, NodeState};
use std::time::Duration;

cases![
    report_is_listed_with_all_its_members,
    report_replaces_the_earlier_one,
    processes_are_listed_by_their_start,
    process_is_dead_when_its_lease_has_ended,
    removed_process_is_not_listed,
    long_dead_processes_are_removed,
];

/// Longer than any test.
const LEASE: Duration = Duration::from_secs(3600);

fn report(id: &str) -> NodeReport {
    NodeReport {
        id: id.to_owned(),
        state: NodeState::Starting,
        version: "1.2.3".to_owned(),
        broker: "postgres".to_owned(),
        is_connected: true,
        malformed_messages: 0,
        connections: 0,
        running_turns: 0,
        host: "böx".to_owned(),
        process_id: u32::MAX,
    }
}

async fn listed(store: &AnyStore) -> Vec<NodeInfo> {
    store.nodes().await.unwrap()
}

async fn ids(store: &AnyStore) -> Vec<String> {
    let nodes = listed(store).await.into_iter();
    nodes.map(|node| node.id).collect()
}

async fn report_is_listed_with_all_its_members(store: &AnyStore) {
    let sent = NodeReport {
        state: NodeState::Draining,
        is_connected: false,
        malformed_messages: 3,
        connections: 4,
        running_turns: 5,
        ..report("n")
    };
    store.report_node(&sent, LEASE).await.unwrap();
    let nodes = listed(store).await;
    let node = &nodes[0];
    let read = NodeReport {
        id: node.id.clone(),
        state: node.state,
        version: node.version.clone(),
        broker: node.broker.kind.clone(),
        is_connected: node.broker.is_connected,
        malformed_messages: node.broker.malformed_messages,
        connections: node.connections,
        running_turns: node.running_turns,
        host: node.host.clone(),
        process_id: node.process_id,
    };
    assert_eq!(read, sent);
    assert!(node.is_alive);
    assert!(node.started_at <= node.seen_at);
    // The store in memory has no migrations.
    assert!(node.schema_version == 0 || node.schema_version >= 15);
}

async fn report_replaces_the_earlier_one(store: &AnyStore) {
    store.report_node(&report("n"), LEASE).await.unwrap();
    let before = listed(store).await;
    assert_eq!(before[0].state, NodeState::Starting);
    let changed = NodeReport {
        state: NodeState::Serving,
        connections: 1,
        ..report("n")
    };
    store.report_node(&changed, LEASE).await.unwrap();
    let after = listed(store).await;
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].state, NodeState::Serving);
    assert_eq!(after[0].connections, 1);
    assert_eq!(after[0].started_at, before[0].started_at);
    assert!(after[0].seen_at >= before[0].seen_at);
}

async fn processes_are_listed_by_their_start(store: &AnyStore) {
    for id in ["c", "a", "b"] {
        store.report_node(&report(id), LEASE).await.unwrap();
    }
    let nodes = listed(store).await;
    assert!(nodes.is_sorted_by_key(|node| (node.started_at, node.id.clone())));
    assert_eq!(nodes.len(), 3);
}

async fn process_is_dead_when_its_lease_has_ended(store: &AnyStore) {
    store
        .report_node(&report("n"), Duration::ZERO)
        .await
        .unwrap();
    assert!(!listed(store).await[0].is_alive);
    store.report_node(&report("n"), LEASE).await.unwrap();
    assert!(listed(store).await[0].is_alive);
}

async fn removed_process_is_not_listed(store: &AnyStore) {
    for id in ["n", "other"] {
        store.report_node(&report(id), LEASE).await.unwrap();
    }
    store.remove_node("n").await.unwrap();
    store.remove_node("unknown").await.unwrap();
    assert_eq!(ids(store).await, ["other"]);
}

async fn long_dead_processes_are_removed(store: &AnyStore) {
    store.report_node(&report("alive"), LEASE).await.unwrap();
    store
        .report_node(&report("dead"), Duration::ZERO)
        .await
        .unwrap();
    store.remove_dead_nodes(LEASE).await.unwrap();
    assert_eq!(listed(store).await.len(), 2);
    store.remove_dead_nodes(Duration::ZERO).await.unwrap();
    assert_eq!(ids(store).await, ["alive"]);
    store.remove_dead_nodes(Duration::MAX).await.unwrap();
    assert_eq!(ids(store).await, ["alive"]);
}
