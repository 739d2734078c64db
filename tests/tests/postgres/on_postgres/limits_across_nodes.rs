//! Limits of users who send to several servers of one database.

use super::nodes::{heard, read_of};
use crate::fixtures::tables;
use dooers::auth::{ConnectRequest, Identity, Refusal};
use dooers::prelude::*;
use dooers::{
    BrokerKind, Database, DispatchError, Quota, UsageLimit, UsageLimitScope, UsagePeriod,
    WorkerServer,
};
use dooers_tests::{Client, Server, gate, within};
use serde_json::Value;

/// Reports the number of tokens that the message names. `wait KEY N` waits at a gate before.
#[dooers::agent]
async fn spender(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    let mut tokens = &*request.message;
    if let Some(waits) = tokens.strip_prefix("wait ") {
        let (key, rest) = waits.split_once(' ').unwrap_or_default();
        gate::pass(key).await;
        tokens = rest;
    }
    let usage = Usage::new("small").output_tokens(tokens.parse()?);
    response.usage(usage).await?;
    Ok("spent".to_owned())
}

/// Believes a token that is the name of a user.
async fn by_token(request: ConnectRequest) -> Result<Identity, Refusal> {
    let user = request.token().unwrap_or_default();
    Ok(Identity::new(user).organization("o1"))
}

async fn client(server: &Server, user: &str) -> Client {
    let identity = dooers_tests::Identity::of("stated").with("auth_token", user);
    server.client(identity).await
}

/// Sends a message. Returns its ack.
async fn say(client: &mut Client, text: &str) -> Value {
    let id = client.send_message(None, text).await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id;
    let frames = client.read_until("an ack", is_ack).await;
    frames.last().unwrap()["payload"].clone()
}

#[tokio::test]
async fn messages_are_limited_on_all_nodes_together() {
    let Some((options, _)) = tables() else {
        return;
    };
    let node = async || {
        let config = WorkerConfig::new().database(Database::Postgres(options.clone()));
        let config = config.quotas(|quotas| {
            // So slow that nothing is earned during the test.
            quotas.messages_per_minute = Quota::at_most(1);
            quotas.message_burst = 3;
        });
        let worker = WorkerServer::new(config).agent::<spender>();
        Server::start(worker.authenticator(by_token)).await
    };
    let nodes = [node().await, node().await];
    for node in &nodes {
        heard(node).await;
    }
    let mut bob = client(&nodes[1], "bob").await;
    let mut ana = client(&nodes[0], "ana").await;
    for _ in 0..3 {
        assert_eq!(say(&mut ana, "1").await["ok"], true);
        let frames = ana.read_turn().await;
        let run = &frames.last().unwrap()["payload"]["run"];
        // What the message costs is announced before its thread.
        read_of(
            &mut bob,
            "thread.upsert",
            run["thread_id"].as_str().unwrap(),
        )
        .await;
    }
    // Ana has never been connected to the other node.
    let mut elsewhere = client(&nodes[1], "ana").await;
    let refused = say(&mut elsewhere, "1").await;
    assert_eq!(refused["error"]["code"], "RATE_LIMITED", "{refused}");
    let wait = refused["error"]["retry_after_ms"].as_u64().unwrap();
    assert!((1..=60_000).contains(&wait), "{wait}");
    assert_eq!(say(&mut bob, "1").await["ok"], true);
    let [one, other] = nodes;
    one.close([ana]).await;
    other.close([bob, elsewhere]).await;
}

#[tokio::test]
async fn usage_limit_counts_the_turns_of_all_nodes() {
    const GATE: &str = "limits-in-flight";
    let Some((options, _)) = tables() else {
        return;
    };
    // The ledger is in the database, so no broker is needed.
    let node = async || {
        let limit = UsageLimit::new(
            UsageLimitScope::User,
            UsagePeriod::Month,
            "10 tokens".parse().unwrap(),
        );
        let config = WorkerConfig::new()
            .database(Database::Postgres(options.clone()))
            .broker(BrokerKind::None)
            .usage_limit(limit);
        Server::start(WorkerServer::new(config).agent::<spender>()).await
    };
    let nodes = [node().await, node().await];
    let send = async |node: usize, text: &str| {
        let message = nodes[node].worker().dispatch::<spender>().worker("w1");
        message.user("ana").message(text).send().await
    };
    for node in [0, 1] {
        let turn = send(node, "4").await.unwrap();
        within("a turn", turn.text()).await.unwrap();
    }
    // 8 of 10 tokens are spent. Turns that have started do not count yet, on whichever node.
    let mut turns = Vec::new();
    for node in [0, 1, 0, 1] {
        turns.push(send(node, &format!("wait {GATE} 4")).await.unwrap());
    }
    for _ in &turns {
        gate::arrived(GATE).await;
    }
    for _ in &turns {
        gate::open(GATE);
    }
    for turn in turns {
        within("a turn", turn.text()).await.unwrap();
    }
    for node in [0, 1] {
        let refused = send(node, "1").await;
        assert!(
            matches!(refused, Err(DispatchError::RateLimited { .. })),
            "{refused:?}"
        );
    }
    let [one, other] = nodes;
    one.close([]).await;
    other.close([]).await;
}
