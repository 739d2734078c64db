//! Tokens in a file.

use crate::agents::echo;
use dooers::WorkerServer;
use dooers::auth::StaticTokens;
use dooers_tests::{Client, Server, in_memory};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const ANA: &str = "0a4f6c1e9d2b8375a0c4e8f2b6d1937f";
const EVE: &str = "f7391d6b2f8e4c0a5738b2d9e1c6f4a0";

fn write(path: &Path, tokens: &[(&str, &str)]) {
    let entries = tokens.iter().map(|(user, token)| {
        let hash = StaticTokens::hash(token).unwrap();
        format!("[[token]]\nuser_id = '{user}'\norganization_id = 'acme'\nsha256 = '{hash}'\n")
    });
    fs::write(path, entries.collect::<String>()).unwrap();
}

async fn refusal(client: &mut Client, token: Value) -> Value {
    let payload = json!({"worker_id": "w1", "auth_token": token});
    client.request("connect", payload, "ack").await["error"]["message"].take()
}

#[tokio::test]
async fn removed_token_stops_working_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    write(&path, &[("ana", ANA), ("eve", EVE)]);
    let tokens = StaticTokens::from_file(&path).unwrap();
    let worker = WorkerServer::new(in_memory())
        .agent::<echo>()
        .authenticator(tokens);
    let server = Server::start(worker).await;
    let mut eve = server.open().await;
    for (token, expected) in [
        (
            Value::Null,
            "this server requires a token; log in, and send the token as `auth_token` in `connect`",
        ),
        (
            json!("short"),
            "the token has less than 32 characters, and others might guess it; use a random one, such as `openssl rand -hex 32` prints",
        ),
        (
            json!(StaticTokens::hash(EVE).unwrap()),
            "the token is not known or was revoked; ask the operator of this server for a new one",
        ),
        (json!(EVE), ""),
    ] {
        let refusal = refusal(&mut eve, token).await;
        assert_eq!(refusal.as_str().unwrap_or_default(), expected);
    }
    let mut ana = server.open().await;
    assert_eq!(refusal(&mut ana, json!(ANA)).await, Value::Null);

    write(&path, &[("ana", ANA)]);
    assert_eq!(server.worker().disconnect("eve").await.unwrap(), 1);
    assert_eq!(eve.expect_close().await, 1008);
    let mut eve = server.open().await;
    assert_eq!(
        refusal(&mut eve, json!(EVE)).await,
        "the token is not known or was revoked; ask the operator of this server for a new one"
    );
    ana.expect_nothing().await;
    server.close([ana, eve]).await;
}
