//! JSON Web Tokens on a real listener. Both implementations of their algorithms are in this program: see `tests/Cargo.toml`.

use crate::agents::quiet;
use dooers::WorkerServer;
use dooers::auth::Jwt;
use dooers_tests::{Client, Identity, Server, in_memory};
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

const NOT_VALID: &str = "the token is not valid for this server; log in again";

async fn serve() -> Server {
    let jwt = Jwt::hs256(SECRET)
        .issuer("https://login.example.com/")
        .audience("chat");
    let worker = WorkerServer::new(in_memory()).agent::<quiet>();
    Server::start(worker.authenticator(jwt.build().unwrap())).await
}

fn token(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": "https://login.example.com/",
        "aud": "chat",
        "sub": "ana",
        "org_id": "acme",
        "exp": get_current_timestamp() + 600,
    });
    change(&mut claims);
    let key = EncodingKey::from_secret(SECRET.as_bytes()).unwrap();
    encode(&Header::default(), &claims, &key).unwrap()
}

/// The frame of a client that states another identity than its token.
fn stating_another(token: &str) -> Identity {
    Identity::of("eve").with("auth_token", token)
}

async fn refused(client: &mut Client, token: &str) -> (String, String) {
    let id = client
        .send("connect", stating_another(token).payload())
        .await;
    client.expect_error(&id).await
}

#[tokio::test]
async fn refused_token_leaves_the_connection_open() {
    let server = serve().await;
    let mut client = server.open().await;
    let ago = |seconds| get_current_timestamp() - seconds;
    for (token, text) in [
        (
            token(|claims| claims["exp"] = json!(ago(120))),
            "the token has expired; log in again",
        ),
        (
            token(|claims| claims["nbf"] = json!(ago(0) + 3600)),
            NOT_VALID,
        ),
        (token(|claims| claims["aud"] = json!("other")), NOT_VALID),
        (token(|claims| claims["iss"] = json!("other")), NOT_VALID),
        (
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ.".to_owned(),
            NOT_VALID,
        ),
        (
            "a".repeat(16 * 1024 + 1),
            "the token is longer than 16384 bytes; log in for one with fewer claims",
        ),
    ] {
        let expected = ("UNAUTHORIZED".to_owned(), text.to_owned());
        assert_eq!(refused(&mut client, &token).await, expected);
    }
    let ack = client.connect(stating_another(&token(|_| ()))).await;
    assert_eq!(ack["ok"], true);
    client.disconnect().await;
}

#[tokio::test]
async fn token_decides_the_organization() {
    let server = serve().await;
    let mut ana = server.open().await;
    ana.connect(stating_another(&token(|_| ()))).await;
    let id = ana.send_message(None, "hello").await;
    ana.expect_ack(&id).await;
    ana.read_turn().await;
    let others = token(|claims| claims["org_id"] = json!("globex"));
    for (token, threads) in [(token(|_| ()), 1), (others, 0)] {
        let mut client = server.open().await;
        client.connect(stating_another(&token)).await;
        client.send("thread.list", json!({})).await;
        let listed = client.expect("thread.list.result").await;
        assert_eq!(listed["threads"].as_array().unwrap().len(), threads);
        client.disconnect().await;
    }
    ana.disconnect().await;
}

#[tokio::test]
async fn frame_with_a_token_of_1_mib_closes_with_1009() {
    let server = serve().await;
    let client = server.open().await.into_raw();
    assert_eq!(client.flood(1024 * 1024).await, Some(1009));
}
