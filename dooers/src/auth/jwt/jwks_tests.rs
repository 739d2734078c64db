//! Tests with an issuer on a real socket.

use super::fixtures::{AUDIENCE, ISSUER, fixture};
use super::tests::{NOT_VALID, request};
use super::{InvalidJwt, Jwt};
use crate::auth::{Authenticator, Refusal};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::{join_all, pending};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{advance, pause, resume};

const UNAVAILABLE: &str = "the server cannot check tokens now, because the keys of their issuer cannot be fetched; try again later";

/// The reaction of the issuer. `None`: it does not answer.
type Reaction = Option<(StatusCode, String)>;

struct Issuer {
    jwt: Jwt,
    reaction: Arc<Mutex<Reaction>>,
    fetches: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Issuer {
    async fn start(reaction: Reaction) -> Self {
        let reaction = Arc::new(Mutex::new(reaction));
        let fetches = Arc::new(AtomicUsize::new(0));
        let answer = {
            let (reaction, fetches) = (reaction.clone(), fetches.clone());
            move || {
                fetches.fetch_add(1, Ordering::SeqCst);
                let reaction = reaction.lock().unwrap().clone();
                async move {
                    match reaction {
                        Some((status, body)) => {
                            (status, [(CACHE_CONTROL, "max-age=3600")], body).into_response()
                        }
                        None => pending().await,
                    }
                }
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let router = Router::new().route("/jwks", get(answer));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let jwt = Jwt::jwks(url).issuer(ISSUER).audience(AUDIENCE);
        Self {
            jwt: jwt.build().unwrap(),
            reaction,
            fetches,
            serving,
        }
    }

    fn reacts(&self, reaction: Reaction) {
        *self.reaction.lock().unwrap() = reaction;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Returns the user of the token.
    async fn ask(&self, token: &str) -> Result<String, Refusal> {
        let identity = self.jwt.authenticate(request(Some(token)).unwrap()).await;
        identity.map(|identity| identity.user.user_id)
    }

    async fn answer(&self, token: &str) -> String {
        self.ask(token)
            .await
            .unwrap_or_else(|refusal| refusal.to_string())
    }
}

fn published(keys: &[Value]) -> Reaction {
    Some((StatusCode::OK, json!({ "keys": keys }).to_string()))
}

/// The key of a fixture with its name as `kid`. Its token has no `kid`.
fn key(name: &str) -> Value {
    let mut jwk = fixture(name).jwk;
    jwk["kid"] = name.into();
    jwk
}

/// A token with this `kid`, which no key has signed.
fn forged(kid: &str) -> String {
    let header = json!({"alg": "EdDSA", "kid": kid}).to_string();
    let claims = json!({"sub": "eve"}).to_string();
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.{}", "A".repeat(86))
}

/// Lets time pass. The clock runs otherwise, because the network does not wait for a paused one.
async fn pass(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
}

#[tokio::test]
async fn key_is_fetched_once_for_concurrent_tokens() {
    let issuer = Issuer::start(published(&[key("EdDSA"), key("ES256")])).await;
    assert_eq!(issuer.fetches(), 0);
    let token = fixture("EdDSA").token;
    let answers = join_all((0..20).map(|_| issuer.answer(&token))).await;
    assert!(answers.iter().all(|user| user == "ana"), "{answers:?}");
    assert_eq!(issuer.answer(&fixture("ES256").token).await, "ana");
    assert_eq!(issuer.answer(&fixture("RS256").token).await, NOT_VALID);
    assert_eq!(issuer.fetches(), 1);
    // The age that the issuer states has passed.
    pass(3600).await;
    assert_eq!(issuer.answer(&token).await, "ana");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn unknown_key_is_fetched_once_a_minute() {
    let issuer = Issuer::start(published(&[key("EdDSA")])).await;
    let forgeries: Vec<String> = (0..200).map(|n| forged(&format!("k{n}\n"))).collect();
    let flood = || async {
        let answers = join_all(forgeries.iter().map(|token| issuer.answer(token))).await;
        assert!(answers.iter().all(|text| text == NOT_VALID), "{answers:?}");
    };
    flood().await;
    flood().await;
    assert_eq!(issuer.fetches(), 1);
    // The issuer rotates its key.
    issuer.reacts(published(&[key("ES256")]));
    assert_eq!(issuer.answer(&fixture("EdDSA").token).await, "ana");
    pass(60).await;
    flood().await;
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(issuer.answer(&fixture("EdDSA").token).await, NOT_VALID);
    assert_eq!(issuer.answer(&fixture("ES256").token).await, "ana");
}

#[tokio::test]
async fn issuer_that_is_down_at_first_is_asked_again() {
    let issuer = Issuer::start(Some((StatusCode::BAD_GATEWAY, String::new()))).await;
    let token = fixture("EdDSA").token;
    let expected = Refusal::unavailable(UNAVAILABLE).retry_after(Duration::from_secs(5));
    for _ in 0..3 {
        assert_eq!(issuer.ask(&token).await, Err(expected.clone()));
    }
    assert_eq!(issuer.fetches(), 1);
    issuer.reacts(published(&[key("EdDSA")]));
    assert_eq!(issuer.ask(&token).await, Err(expected));
    pass(5).await;
    assert_eq!(issuer.answer(&token).await, "ana");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn keys_stay_in_use_while_the_issuer_is_down() {
    let issuer = Issuer::start(published(&[key("EdDSA")])).await;
    let token = fixture("EdDSA").token;
    assert_eq!(issuer.answer(&token).await, "ana");
    for (fetches, failure) in [
        (StatusCode::INTERNAL_SERVER_ERROR, "{}".to_owned()),
        (StatusCode::FOUND, String::new()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, " ".repeat(300 * 1024)),
    ]
    .into_iter()
    .enumerate()
    {
        issuer.reacts(Some(failure));
        pass(3600).await;
        for _ in 0..3 {
            assert_eq!(issuer.answer(&token).await, "ana");
            assert_eq!(issuer.answer(&forged("new")).await, NOT_VALID);
        }
        assert_eq!(issuer.fetches(), fetches + 2);
    }
    issuer.serving.abort();
    pass(3600).await;
    assert_eq!(issuer.answer(&token).await, "ana");
}

#[tokio::test]
async fn issuer_that_hangs_has_a_time_limit() {
    let issuer = Issuer::start(None).await;
    let token = fixture("EdDSA").token;
    let mut asking = Box::pin(issuer.answer(&token));
    while issuer.fetches() == 0 {
        tokio::select! {
            answer = &mut asking => panic!("{answer}"),
            () = tokio::task::yield_now() => {}
        }
    }
    pass(5).await;
    assert_eq!(asking.await, UNAVAILABLE);
}

#[tokio::test]
async fn fetch_continues_without_its_client() {
    let issuer = Issuer::start(published(&[key("EdDSA")])).await;
    let token = fixture("EdDSA").token;
    let mut asking = Box::pin(issuer.answer(&token));
    assert!(futures::poll!(&mut asking).is_pending());
    drop(asking);
    assert_eq!(issuer.answer(&token).await, "ana");
    assert_eq!(issuer.fetches(), 1);
}

#[test]
fn url_must_be_encrypted() {
    for (url, expected) in [
        ("", InvalidJwt::Url),
        ("login.example.com", InvalidJwt::Url),
        ("file:///etc/passwd", InvalidJwt::Url),
        (
            "https://me:secret@login.example.com/jwks",
            InvalidJwt::UrlPassword,
        ),
        ("http://login.example.com/jwks", InvalidJwt::UrlNotEncrypted),
        ("http://10.0.0.1/jwks", InvalidJwt::UrlNotEncrypted),
    ] {
        let refused = Jwt::jwks(url).issuer(ISSUER).audience(AUDIENCE).build();
        assert_eq!(refused.unwrap_err(), expected, "{url}");
    }
    for url in [
        "https://login.example.com/jwks",
        "https://10.0.0.1/jwks",
        "http://localhost:1/jwks",
    ] {
        assert!(
            Jwt::jwks(url)
                .issuer(ISSUER)
                .audience(AUDIENCE)
                .build()
                .is_ok()
        );
    }
}
