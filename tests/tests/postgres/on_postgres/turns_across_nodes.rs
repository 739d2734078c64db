//! Turns that another server of the database runs: the streams of dispatches, and the treatment of busy threads.

use super::nodes::heard;
use crate::fixtures::tables;
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::store::PostgresOptions;
use dooers::{
    AgentDefinition, Database, DispatchError, DispatchStream, HandlerErrorKind, OnBusy,
    WorkerServer,
};
use dooers_tests::postgres::pooled_only;
use dooers_tests::{Server, gate, within};
use std::time::Duration;

/// Says its node and the message. A message that begins with `wait` waits at the gate that it names.
async fn answer(request: WorkerRequest, State(node): State<&'static str>) -> Result<String> {
    if let Some(key) = request.message.strip_prefix("wait ") {
        gate::pass(key).await;
    }
    Ok(format!("{node}: {}", request.message))
}

/// The nodes `a` and `b`. Their leases are so long that no renewal hides a missing message.
async fn nodes_of(
    options: &PostgresOptions,
    change: fn(AgentDefinition) -> AgentDefinition,
) -> [Server; 2] {
    let node = async |name: &'static str| {
        let config = WorkerConfig::new()
            .database(Database::Postgres(options.clone()))
            .lease(Duration::from_secs(3600));
        let agent = change(AgentDefinition::from_fn("answerer", answer));
        Server::start(WorkerServer::new(config).add_agent(agent).state(name)).await
    };
    [node("a").await, node("b").await]
}

/// The nodes, after they hear each other. `None` if no database is configured.
async fn nodes(change: fn(AgentDefinition) -> AgentDefinition) -> Option<[Server; 2]> {
    let (options, _) = tables()?;
    let nodes = nodes_of(&options, change).await;
    for node in &nodes {
        heard(node).await;
    }
    Some(nodes)
}

async fn close([one, other]: [Server; 2]) {
    one.close([]).await;
    other.close([]).await;
}

/// Sends a message through a node. The thread has the name of the test.
async fn send(node: &Server, thread: &str, text: &str) -> Result<DispatchStream, DispatchError> {
    let message = node.worker().dispatch_to("answerer").worker("w1");
    let message = message.user("ana").thread(thread).message(text);
    message.send().await
}

/// Begins a turn on a node that waits at the gate of this name.
async fn wait_on(node: &Server, thread: &str) -> DispatchStream {
    let waiting = send(node, thread, &format!("wait {thread}")).await;
    gate::arrived(thread).await;
    waiting.unwrap()
}

async fn said(stream: DispatchStream) -> Result<String, HandlerErrorKind> {
    let said = within("the end of a turn", stream.text()).await;
    said.map_err(|error| error.kind())
}

#[tokio::test]
async fn dispatch_hears_a_turn_of_another_process() {
    for (thread, change) in [
        (
            "across-hears",
            (|agent| agent) as fn(AgentDefinition) -> AgentDefinition,
        ),
        ("across-manual", AgentDefinition::with_manual_runs),
    ] {
        let Some(nodes) = nodes(change).await else {
            return;
        };
        let first = wait_on(&nodes[0], thread).await;
        let second = send(&nodes[1], thread, "second").await.unwrap();
        gate::open(thread);
        let expected = format!("a: wait {thread}");
        assert!(said(first).await.unwrap().starts_with(&expected));
        assert!(said(second).await.unwrap().ends_with("a: second"));
        close(nodes).await;
    }
}

#[tokio::test]
async fn dispatch_without_a_broker_asks_the_database() {
    const THREAD: &str = "across-alone";
    let Some(options) = pooled_only() else {
        return;
    };
    let nodes = nodes_of(&options, AgentDefinition::with_manual_runs).await;
    let first = wait_on(&nodes[0], THREAD).await;
    let second = send(&nodes[1], THREAD, "second").await.unwrap();
    gate::open(THREAD);
    said(first).await.unwrap();
    assert!(said(second).await.unwrap().ends_with("a: second"));
    close(nodes).await;
}

#[tokio::test]
async fn stopping_process_leaves_its_queue_to_the_others() {
    const THREAD: &str = "across-stops";
    let Some(nodes) = nodes(|agent| agent).await else {
        return;
    };
    let mut client = nodes[0].client("ana").await;
    let first = wait_on(&nodes[0], THREAD).await;
    let second = send(&nodes[1], THREAD, "second").await.unwrap();
    let closed = nodes[0].begin_close();
    client.expect_close().await;
    // The node stops, and claims no turn any more.
    gate::open(THREAD);
    assert_eq!(said(second).await.as_deref(), Ok("b: second"));
    drop(first);
    closed.await.unwrap();
    close(nodes).await;
}

#[tokio::test]
async fn queue_of_a_thread_is_shared_by_processes() {
    const THREAD: &str = "across-queue";
    let Some(nodes) = nodes(|agent| agent.when_busy(OnBusy::Queue { limit: 2 })).await else {
        return;
    };
    let first = wait_on(&nodes[0], THREAD).await;
    let second = send(&nodes[1], THREAD, "second").await.unwrap();
    let third = send(&nodes[0], THREAD, "third").await.unwrap();
    let fourth = send(&nodes[1], THREAD, "fourth").await;
    assert!(matches!(fourth, Err(DispatchError::Overloaded(_))));
    // A message that waits is withdrawn by the other node.
    let scope = Scope::new("answerer", "w1");
    let repository = nodes[1].worker().repository().await.unwrap();
    let removed = repository.remove_event(&scope, THREAD, third.event_id());
    removed.await.unwrap();
    assert_eq!(said(third).await, Err(HandlerErrorKind::Cancelled));
    gate::open(THREAD);
    said(first).await.unwrap();
    assert_eq!(said(second).await.as_deref(), Ok("a: second"));
    let next = send(&nodes[1], THREAD, "next").await.unwrap();
    assert_eq!(said(next).await.as_deref(), Ok("b: next"));
    close(nodes).await;
}

#[tokio::test]
async fn busy_thread_of_another_process_rejects_messages() {
    const THREAD: &str = "across-reject";
    let Some(nodes) = nodes(|agent| agent.when_busy(OnBusy::Reject)).await else {
        return;
    };
    let first = wait_on(&nodes[0], THREAD).await;
    let second = send(&nodes[1], THREAD, "second").await;
    assert!(matches!(second, Err(DispatchError::Busy(_))), "{second:?}");
    gate::open(THREAD);
    said(first).await.unwrap();
    let third = send(&nodes[1], THREAD, "third").await.unwrap();
    assert_eq!(said(third).await.as_deref(), Ok("b: third"));
    close(nodes).await;
}

#[tokio::test]
async fn interrupting_message_reaches_another_process() {
    const THREAD: &str = "across-interrupt";
    let Some(nodes) = nodes(|agent| agent.when_busy(OnBusy::Interrupt)).await else {
        return;
    };
    let first = wait_on(&nodes[0], THREAD).await;
    let second = send(&nodes[1], THREAD, "second").await.unwrap();
    assert_eq!(said(first).await, Err(HandlerErrorKind::Cancelled));
    assert_eq!(said(second).await.as_deref(), Ok("a: second"));
    close(nodes).await;
}

#[tokio::test]
async fn concurrent_turns_run_in_both_processes() {
    const THREAD: &str = "across-concurrent";
    let Some(nodes) = nodes(|agent| agent.when_busy(OnBusy::Concurrent)).await else {
        return;
    };
    let first = wait_on(&nodes[0], THREAD).await;
    let second = send(&nodes[1], THREAD, "second").await.unwrap();
    assert_eq!(said(second).await.as_deref(), Ok("b: second"));
    gate::open(THREAD);
    assert!(said(first).await.unwrap().starts_with("a: wait"));
    close(nodes).await;
}
