//! Fixtures of the repository tests.

use dooers::WorkerServer;
use dooers::prelude::*;
use dooers::repository::{Repository, Scope};
use dooers_tests::{Client, Server, gate, in_memory};
use serde_json::Value;

/// Echoes the message. A message that begins with `wait` first waits at the gate of its name. A message that begins
/// with `grow` waits in the middle of a text.
#[dooers::agent]
pub(crate) async fn teller(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let said = &request.message;
    if said.starts_with("wait") {
        gate::pass(said).await;
    }
    if said.starts_with("grow") {
        let text = response.text_stream();
        text.push("half ");
        gate::pass(said).await;
        text.push("whole");
        text.finish().await?;
    }
    response.text(format!("You said: {said}")).await?;
    Ok(())
}

/// A second agent.
#[dooers::agent(name = "other")]
pub(crate) async fn other() {}

/// A server of the teller, and its repository.
pub(crate) async fn start_server() -> (Server, Repository) {
    start_server_with(WorkerServer::new(in_memory())).await
}

/// Adds the teller to a server and starts it. Returns the server and its repository.
pub(crate) async fn start_server_with(worker: WorkerServer) -> (Server, Repository) {
    let worker = worker.agent::<teller>();
    let server = Server::start(worker.clone()).await;
    let repository = worker.repository().await.expect("the server starts");
    (server, repository)
}

/// The scope of all users in the workspace of the test clients.
pub(crate) fn scope() -> Scope {
    Scope::everyone::<teller>("w1")
        .organization("o1")
        .workspace("s1")
}

/// The scope of one user in the workspace of the test clients.
pub(crate) fn scope_of(user_id: &str) -> Scope {
    Scope::user::<teller>("w1", user_id)
        .organization("o1")
        .workspace("s1")
}

/// Creates a thread with this id and subscribes the client to it.
pub(crate) async fn subscribed(repository: &Repository, client: &mut Client, id: &str) {
    repository
        .create_thread(&scope())
        .id(id)
        .await
        .expect("a new id");
    client.read_pending().await;
    client.subscribe(id).await;
}

/// The types of the frames, in order.
pub(crate) fn kinds(frames: &[Value]) -> Vec<&str> {
    let kind = |frame: &'_ Value| frame["type"].as_str().map(str::len).unwrap_or_default();
    assert!(frames.iter().all(|frame| kind(frame) > 0));
    frames
        .iter()
        .filter_map(|frame| frame["type"].as_str())
        .collect()
}

/// The events of all `event.append` frames, in order.
pub(crate) fn appended(frames: &[Value]) -> Vec<Value> {
    let appends = frames
        .iter()
        .filter(|frame| frame["type"] == "event.append");
    appends
        .flat_map(|frame| frame["payload"]["events"].as_array().unwrap().clone())
        .collect()
}

/// The text of an event's first part.
pub(crate) fn text(event: &Value) -> &str {
    event["content"][0]["text"].as_str().unwrap_or_default()
}
