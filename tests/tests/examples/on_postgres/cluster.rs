//! The cluster example.

use crate::turns::{Turn, ask};
use dooers_tests::{Client, Process, descendants, postgres, signal};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// The longest time in which the script stops everything: nodes finish their turns for 5 s.
const STOP: Duration = Duration::from_secs(30);

/// Starts the cluster, with the process ids of its nodes.
fn start() -> (Process, HashMap<&'static str, u32>) {
    let mut cluster = Process::start_script("examples/cluster/run", &["--port", "0"]);
    let ids = NODES.map(|node| {
        let command = cluster.rest_of_line(&format!("{node} runs at "));
        let (_, id) = command.rsplit_once(' ').unwrap();
        (node, id.parse().unwrap())
    });
    (cluster, ids.into())
}

/// The name of the node that answered.
fn node_of(turn: &Turn) -> &'static str {
    let text = turn.last_text();
    let mut nodes = NODES.into_iter();
    nodes.find(|node| text.contains(node)).unwrap()
}

fn is_text(frame: &Value, part: &str) -> bool {
    let text = &frame["payload"]["events"][0]["content"][0]["text"];
    text.as_str().is_some_and(|text| text.contains(part))
}

#[tokio::test]
async fn cluster_goes_on_when_a_node_is_killed() {
    if !postgres::is_installed() {
        return;
    }
    let (mut cluster, ids) = start();
    let address = cluster.address();
    let mut ada = Client::open(address, "/ws").await;
    ada.connect("ada").await;
    let mut bob = Client::open(address, "/ws").await;
    bob.connect("bob").await;

    // The clients are on different nodes, and each reads the turns of the other.
    let turn = ask(&mut ada, None, "hello").await;
    let (thread_id, of_ada) = (turn.thread_id(), node_of(&turn));
    bob.subscribe(thread_id).await;
    let turn = ask(&mut bob, Some(thread_id), "hi").await;
    assert_ne!(node_of(&turn), of_ada);
    let frames = ada.read_turn().await;
    assert!(frames.iter().any(|frame| is_text(frame, "You said: hi")));

    // The node dies in the middle of a turn, which another node runs again.
    ada.send_message(Some(thread_id), "count 30").await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    bob.read_until("the run", is_run).await;
    signal("KILL", ids[of_ada]);
    drop(ada);
    cluster.wait_for_line(&format!("{of_ada} has ended with status 137; "));
    let frames = bob.read_turn().await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    let answer = frames
        .iter()
        .rfind(|frame| is_text(frame, "so it starts again"));
    assert!(!is_text(answer.unwrap(), of_ada), "{answer:?}");

    // A new connection reaches another node.
    let mut ada = Client::open(address, "/ws").await;
    ada.connect("ada").await;
    ada.subscribe(thread_id).await;
    assert_ne!(
        node_of(&ask(&mut ada, Some(thread_id), "again").await),
        of_ada
    );

    ada.disconnect().await;
    bob.disconnect().await;
    let started = descendants(cluster.id());
    let names: Vec<_> = started
        .iter()
        .map(|process| process.name.as_str())
        .collect();
    for name in ["postgres", "example-cluster"] {
        assert!(
            names.iter().any(|found| found.starts_with(name)),
            "{names:?}"
        );
    }
    cluster.terminate();
    let (status, _, errors) = cluster.wait_timeout(STOP);
    assert_eq!(status, Some(0), "{errors}");
    let left: Vec<_> = started
        .iter()
        .filter(|process| process.is_running())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn cluster_refuses_unknown_options() {
    let script = Process::start_script("examples/cluster/run", &["--nodes"]);
    let (status, output, errors) = script.wait();
    assert_eq!((status, output.as_str()), (Some(2), ""));
    assert!(errors.contains("unknown option \"--nodes\""), "{errors}");
}
