//! The identity that an authenticator returns, as handlers see it.

use crate::asserts::{appended, texts};
use dooers::auth::{ConnectRequest, Identity, Refusal};
use dooers::prelude::*;
use dooers::{TurnServer, WorkerServer};
use dooers_tests::{Client, Identity as Stated, Server, in_memory};
use serde_json::{Value, json};

/// Says who the author is.
#[dooers::agent]
async fn mirror(request: WorkerRequest) -> String {
    serde_json::to_string(&request.identity()).unwrap()
}

/// Sends the message on, on behalf of its author.
#[dooers::agent]
async fn relay(request: WorkerRequest, server: TurnServer) -> Result<String> {
    let turn = server
        .dispatch::<mirror>()
        .message(request.message)
        .send()
        .await?;
    Ok(turn.text().await?)
}

/// Knows the token `ana`.
async fn authenticate(request: ConnectRequest) -> Result<Identity, Refusal> {
    match request.token() {
        Some("ana") => Ok(Identity::new("ana")
            .organization("acme")
            .claim("plan", "gold")),
        _ => Err(Refusal::unauthorized("log in first")),
    }
}

/// A client that states to be somebody else, and has the token of Ana.
fn liar() -> Stated {
    Stated::of("bob")
        .with(
            "user",
            json!({"user_id": "bob", "user_name": "Bob", "organization_role": "owner"}),
        )
        .with("auth_token", "ana")
}

/// The identity that the agent has seen.
async fn answer(client: &mut Client) -> Value {
    client.send_message(None, "who am I?").await;
    let frames = client.read_turn().await;
    serde_json::from_str(texts(&appended(&frames)).last().unwrap()).unwrap()
}

fn proven() -> Value {
    serde_json::to_value(
        Identity::new("ana")
            .organization("acme")
            .claim("plan", "gold"),
    )
    .unwrap()
}

#[tokio::test]
async fn handler_sees_the_identity_of_the_authenticator() {
    let worker = WorkerServer::new(in_memory())
        .agent::<mirror>()
        .authenticator(authenticate);
    let server = Server::start(worker).await;
    let mut client = server.client(liar()).await;
    let said = answer(&mut client).await;
    assert_eq!(said, proven());
}

#[tokio::test]
async fn dispatch_in_a_turn_keeps_the_identity() {
    let worker = WorkerServer::new(in_memory())
        .agent_with::<relay>(dooers::AgentDefinition::with_default)
        .agent::<mirror>()
        .authenticator(authenticate);
    let server = Server::start(worker).await;
    let mut client = server.client(liar()).await;
    let said = answer(&mut client).await;
    assert_eq!(said, proven());
}

#[tokio::test]
async fn identity_without_an_authenticator_has_no_rights() {
    let server = Server::of::<mirror>().await;
    let mut client = server.client("ana").await;
    let said = answer(&mut client).await;
    let expected = Identity::new("ana").organization("o1").workspace("s1");
    assert_eq!(said, serde_json::to_value(expected).unwrap());
}
