//! The list of processes.

use crate::fixtures::start_server;
use dooers::prelude::*;
use dooers::repository::{NodeState, RepositoryError};

#[tokio::test]
async fn process_with_a_store_of_its_own_lists_itself() {
    let (server, repository) = start_server().await;
    let nodes = repository.nodes().await.unwrap();
    assert_eq!(nodes.len(), 1);
    assert!(nodes[0].is_alive);
    assert!(matches!(
        nodes[0].state,
        NodeState::Starting | NodeState::Serving
    ));
    assert_eq!(nodes[0].broker.kind, "none");
    assert!(nodes[0].broker.is_connected);
    assert_eq!(NodeState::Serving.as_str(), "serving");
    server.close([]).await;
    // The store in memory can still be read.
    assert_eq!(repository.nodes().await.unwrap(), []);
}

#[tokio::test]
async fn repository_of_a_turn_lists_no_processes() {
    let (server, _) = start_server().await;
    let mut request = WorkerRequest::new("hi");
    request.thread.worker_id = "w1".to_owned();
    let handle = server.worker().turn_server_named("teller", &request);
    let repository = handle.await.unwrap().repository().unwrap();
    let error = repository.nodes().await.unwrap_err();
    assert!(matches!(error, RepositoryError::OutsideTurn { .. }));
    let text = error.to_string();
    assert!(text.starts_with("the scope has all workers"), "{text}");
    assert_eq!(repository.everywhere().nodes().await.unwrap().len(), 1);
    server.close([]).await;
}
