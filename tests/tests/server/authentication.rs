//! Access by an authenticator: tokens, refusals, identities that end, and servers without one.

use crate::agents::echo;
use crate::asserts::{appended, texts, without_error_id};
use dooers::auth::{ConnectRequest, Identity, Refusal};
use dooers::{Limits, WorkerServer};
use dooers_tests::{Client, Server, in_memory, within};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

/// A limit that passes during a test.
const SHORT: Duration = Duration::from_millis(200);

/// Authenticates by tokens that say what happens: an identity in JSON, the name of a user, or one of the words below.
async fn authenticate(request: ConnectRequest) -> Result<Identity, Refusal> {
    match request.token() {
        None => Err(Refusal::unauthorized("send a token")),
        Some("bad") => Err(Refusal::unauthorized("log in first")),
        Some("down") => Err(Refusal::unavailable("come back later").retry_after(SHORT)),
        Some("hang") => std::future::pending().await,
        Some("panic") => panic!("a defect of the authenticator"),
        Some("brief") => Ok(Identity::new("ana").expires_at(chrono::Utc::now() + SHORT)),
        Some(json) if json.starts_with('{') => Ok(serde_json::from_str(json).unwrap()),
        Some(user) => Ok(Identity::new(user).organization("acme").workspace("north")),
    }
}

async fn server(limits: impl FnOnce(&mut Limits)) -> Server {
    let worker = WorkerServer::new(in_memory().limits(limits).without_quotas()).agent::<echo>();
    Server::start(worker.authenticator(authenticate)).await
}

async fn connect(client: &mut Client, token: impl ToString) {
    let payload = json!({"worker_id": "w1", "auth_token": token.to_string()});
    client.send_expecting_ack("connect", payload).await;
}

async fn refused(client: &mut Client, token: &str) -> Value {
    let payload = json!({"worker_id": "w1", "auth_token": token});
    let mut ack = client.request("connect", payload, "ack").await;
    assert_eq!(ack["ok"], false);
    ack["error"].take()
}

/// The thread of a new message, which has the identity of its sender.
async fn new_thread(client: &mut Client) -> Value {
    let id = client.send_message(None, "hello").await;
    client.expect_ack(&id).await;
    client.read_turn().await[0]["payload"]["thread"].take()
}

#[tokio::test]
async fn refused_client_can_try_again() {
    let server = server(|_| {}).await;
    let mut client = server.open().await;
    assert_eq!(
        refused(&mut client, "bad").await,
        json!({"code": "UNAUTHORIZED", "message": "log in first"})
    );
    assert_eq!(
        without_error_id(refused(&mut client, "down").await),
        json!({"code": "OVERLOADED", "message": "come back later", "retry_after_ms": 200})
    );
    let code = client.send_expecting_error("thread.list", json!({})).await;
    assert_eq!(code, "NOT_CONNECTED");
    connect(&mut client, "ana").await;
    // A later refusal leaves the identity as it is.
    refused(&mut client, "bad").await;
    assert_eq!(new_thread(&mut client).await["owner"]["user_id"], "ana");
    server.close([client]).await;
}

#[tokio::test]
async fn refused_client_is_closed_after_the_time_limit() {
    let server = server(|limits| limits.connect_timeout = SHORT).await;
    let mut client = server.open().await;
    refused(&mut client, "bad").await;
    assert_eq!(client.expect_close().await, 1008);
    server.close([]).await;
}

#[tokio::test]
async fn failing_authenticator_leaves_the_server_up() {
    let server = server(|limits| limits.auth_timeout = SHORT).await;
    let mut client = server.open().await;
    for token in ["hang", "panic"] {
        let message = "the server cannot authenticate clients now; try again later";
        let expected = json!({"code": "OVERLOADED", "message": message, "retry_after_ms": 1000});
        let error = without_error_id(refused(&mut client, token).await);
        assert_eq!(error, expected, "{token}");
    }
    connect(&mut client, "ana").await;
    server.close([client]).await;
}

#[tokio::test]
async fn token_is_in_the_frame_or_a_header() {
    let server = server(|_| {}).await;
    let bearer = ("authorization", "Bearer header");
    let offered = ("sec-websocket-protocol", "dooers.v1, dooers.bearer.offered");
    let frame = json!({"worker_id": "w1", "auth_token": "frame"});
    let without = json!({"worker_id": "w1"});
    for (path, headers, payload, user) in [
        ("/ws", vec![], &frame, "frame"),
        ("/ws", vec![bearer], &without, "header"),
        ("/ws", vec![offered], &without, "offered"),
        ("/ws", vec![bearer, offered], &without, "header"),
        ("/ws?token=url", vec![bearer, offered], &frame, "frame"),
    ] {
        let (mut client, answer) = Client::open_with(server.address, path, &headers).await;
        let selected = answer.headers().get("sec-websocket-protocol");
        let expected = headers.contains(&offered).then_some("dooers.v1");
        assert_eq!(selected.map(|name| name.to_str().unwrap()), expected);
        client.send_expecting_ack("connect", payload.clone()).await;
        let thread = new_thread(&mut client).await;
        assert_eq!(thread["owner"]["user_id"], user, "{path} {headers:?}");
        client.disconnect().await;
    }
    for name in ["token", "access_token", "auth_token"] {
        let path = format!("/ws?{name}=ana");
        let mut client = Client::open(server.address, &path).await;
        let code = client
            .send_expecting_error("connect", without.clone())
            .await;
        assert_eq!(code, "UNAUTHORIZED", "{path}");
        client.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn frame_adds_nothing_to_the_identity() {
    let server = server(|_| {}).await;
    let claimed = json!({
        "user_id": "eve", "user_name": "Eve", "user_email": "eve@example.com", "identity_ids": ["1"],
        "system_role": "admin", "organization_role": "owner", "workspace_role": "manager",
    });
    let mut client = server.open().await;
    for payload in [
        json!({"user": claimed, "organization_id": "other", "workspace_id": "other"}),
        json!({"metadata": {"user_id": "eve", "user_role": "owner", "organization_id": "other", "workspace_id": "other"}}),
        json!({"user_id": "eve", "user_name": "Eve", "agent_owner_user_id": "eve", "agent_owner_organization_id": "acme"}),
    ] {
        let mut payload = payload;
        payload["worker_id"] = "w1".into();
        payload["auth_token"] = "ana".into();
        client.send_expecting_ack("connect", payload.clone()).await;
        let thread = new_thread(&mut client).await;
        let expected = json!({
            "user_id": "ana", "identity_ids": [], "system_role": "user", "organization_role": "member",
            "workspace_role": "member",
        });
        assert_eq!(thread["owner"], expected, "{payload}");
        assert_eq!(thread["organization_id"], "acme");
        assert_eq!(thread["workspace_id"], "north");
        let creator = json!({"audience": "creator"});
        let code = client
            .send_expecting_error("settings.subscribe", creator)
            .await;
        assert_eq!(code, "FORBIDDEN");
    }
    server.close([client]).await;
}

/// An identity of ana with these rights that expires in 30 s.
fn expiring(rights: &Value, workspace: &str) -> Value {
    json!({
        "user": {"user_id": "ana"},
        "organization_id": "acme",
        "workspace_id": workspace,
        "rights": rights,
        "expires_at": chrono::Utc::now() + Duration::from_secs(30),
    })
}

/// The end of an identity, in microseconds.
fn micros(value: &Value) -> i64 {
    let at = value["expires_at"].as_str().unwrap();
    at.parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap()
        .timestamp_micros()
}

#[tokio::test]
async fn renewed_identity_keeps_what_it_still_allows() {
    let server = server(|_| {}).await;
    let all = json!({"analytics": true, "creator_settings": true});
    let identity = expiring(&all, "north");
    let mut client = server.open().await;
    connect(&mut client, &identity).await;
    let notice = client.expect("auth.expiring").await;
    assert_eq!(micros(&notice), micros(&identity));
    let thread_id = client.start_thread("hello").await;
    client.subscribe(&thread_id).await;
    client
        .send_expecting_ack("analytics.subscribe", json!({}))
        .await;
    let mut other = server.open().await;
    connect(&mut other, &expiring(&json!({}), "north")).await;
    other.expect("auth.expiring").await;
    let kinds = |frames: &[Value], kind: &str| {
        let kinds = frames.iter().filter(|frame| frame["type"] == kind);
        kinds.count()
    };

    connect(&mut client, expiring(&all, "north")).await;
    client.expect("auth.expiring").await;
    other.run_turn(&thread_id, "again").await;
    let frames = client.read_pending().await;
    assert_eq!(kinds(&frames, "event.append"), 2, "{frames:?}");
    assert!(kinds(&frames, "analytics.event") > 0, "{frames:?}");

    // The right to analytics is withdrawn.
    connect(&mut client, expiring(&json!({}), "north")).await;
    client.expect("auth.expiring").await;
    other.run_turn(&thread_id, "again").await;
    let frames = client.read_pending().await;
    assert_eq!(kinds(&frames, "event.append"), 2, "{frames:?}");
    assert_eq!(kinds(&frames, "analytics.event"), 0, "{frames:?}");

    // Another workspace has none of the threads.
    connect(&mut client, expiring(&json!({}), "south")).await;
    client.expect("auth.expiring").await;
    other.run_turn(&thread_id, "again").await;
    client.expect_nothing().await;
    server.close([client, other]).await;
}

#[tokio::test]
async fn expired_identity_is_refused_and_then_closed() {
    let server = server(|limits| limits.auth_grace = SHORT * 2).await;
    let mut client = server.open().await;
    let expired = json!({"user": {"user_id": "ana"}, "expires_at": "2020-01-01T00:00:00Z"});
    let refusal = json!({
        "code": "UNAUTHORIZED",
        "message": "the authentication has expired; send `connect` with a new token",
    });
    assert_eq!(refused(&mut client, &expired.to_string()).await, refusal);
    connect(&mut client, "brief").await;
    client.expect("auth.expiring").await;
    let error = loop {
        client.send("thread.list", json!({})).await;
        let answer = client.next().await;
        if answer["type"] == "ack" {
            break answer["payload"]["error"].clone();
        }
    };
    assert_eq!(error, refusal);
    // A new token in time continues the connection.
    connect(&mut client, "brief").await;
    client.expect("auth.expiring").await;
    assert_eq!(client.expect_close().await, 1008);
    server.close([]).await;
}

#[tokio::test]
async fn expired_identity_gets_no_live_frames() {
    let server = server(|_| {}).await;
    let ana = || {
        json!({
            "user": {"user_id": "ana"},
            "rights": {"analytics": true},
        })
    };
    let brief = || {
        let mut identity = ana();
        identity["expires_at"] = json!(chrono::Utc::now() + SHORT);
        identity
    };
    let mut other = server.open().await;
    connect(&mut other, ana()).await;
    let mut client = server.open().await;
    connect(&mut client, ana()).await;
    let thread_id = client.start_thread("hello").await;
    client.subscribe(&thread_id).await;
    client
        .send_expecting_ack("analytics.subscribe", json!({}))
        .await;
    // Reads whatever precedes the ack.
    let renew = async |client: &mut Client, identity: Value| {
        let payload = json!({"worker_id": "w1", "auth_token": identity.to_string()});
        let id = client.send("connect", payload).await;
        let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
        client.read_until("an ack", is_ack).await
    };
    let of = |frames: &[Value], kind: &str| {
        let frames = frames.iter().filter(|frame| frame["type"] == kind);
        frames.cloned().collect::<Vec<_>>()
    };
    for round in 0..2 {
        renew(&mut client, brief()).await;
        // The end is certain when a request is refused. The pause precedes the answer to the next one.
        loop {
            let id = client.send("thread.list", json!({})).await;
            let is_answer = |frame: &Value| {
                frame["payload"]["ack_id"] == id.as_str() || frame["type"] == "thread.list.result"
            };
            let mut frames = client.read_until("an answer", is_answer).await;
            let answer = frames.pop().unwrap();
            if answer["payload"]["error"]["code"] == "UNAUTHORIZED" {
                break;
            }
        }
        client.read_pending().await;
        other.read_pending().await;
        other.run_turn(&thread_id, "missed").await;
        other.read_pending().await;
        let new_thread = other.start_thread("missed").await;
        let frames = client.read_pending().await;
        assert!(frames.is_empty(), "{round}: {frames:?}");

        // Every missed frame arrives after the renewal, once, followed by those that are new.
        let mut frames = renew(&mut client, ana()).await;
        other.read_pending().await;
        other.run_turn(&thread_id, "live").await;
        let is_complete = |frames: &[Value]| {
            appended(frames).len() >= 4
                && !of(frames, "analytics.event").is_empty()
                && of(frames, "thread.upsert")
                    .iter()
                    .any(|frame| frame["payload"]["thread"]["id"] == new_thread.as_str())
        };
        while !is_complete(&frames) {
            frames.push(client.next().await);
        }
        frames.extend(client.read_pending().await);
        let expected = ["missed", "You said: missed", "live", "You said: live"];
        assert_eq!(texts(&appended(&frames)), expected, "{frames:?}");
    }
    server.close([client, other]).await;
}

#[tokio::test]
async fn disconnect_closes_all_sockets_of_a_user() {
    let server = server(|_| {}).await;
    let mut clients = Vec::new();
    for token in ["ana", "ana", "eve"] {
        let mut client = server.open().await;
        connect(&mut client, token).await;
        clients.push(client);
    }
    // The first has become another user.
    connect(&mut clients[0], "bob").await;
    assert_eq!(server.worker().disconnect("ana").await.unwrap(), 1);
    assert_eq!(clients[1].expect_close().await, 1008);
    assert_eq!(server.worker().disconnect("nobody").await.unwrap(), 0);
    clients.remove(1);
    for client in &mut clients {
        client.expect_nothing().await;
    }
    server.close(clients).await;
}

#[tokio::test]
async fn open_server_needs_permission_for_other_machines() {
    let any = || async { TcpListener::bind("0.0.0.0:0").await.unwrap() };
    let listener = any().await;
    let address = listener.local_addr().unwrap();
    let worker = WorkerServer::new(in_memory()).agent::<echo>();
    let error = within("a refusal", worker.serve_on(listener)).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "other machines can reach {address}, and without an authenticator every client can read the conversations of \
             every user: set one with `WorkerServer::authenticator(..)`, WORKER_JWT_… or WORKER_TOKENS_FILE, listen on a loopback address such as \
             127.0.0.1:8000, or allow this with WORKER_ALLOW_OPEN=true or `WorkerConfig::allow_open_on_any_address()`"
        )
    );
    let allowed = WorkerServer::new(in_memory().allow_open_on_any_address()).agent::<echo>();
    let authenticated = WorkerServer::new(in_memory())
        .agent::<echo>()
        .authenticator(authenticate);
    for worker in [allowed, authenticated] {
        let listener = any().await;
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn({
            let worker = worker.clone();
            async move { worker.serve_on(listener).await }
        });
        let mut client = Client::open(([127, 0, 0, 1], port).into(), "/ws").await;
        connect(&mut client, "ana").await;
        client.disconnect().await;
        within("the server to close", worker.close()).await;
        serving.await.unwrap().unwrap();
    }
}
