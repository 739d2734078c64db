//! Tests with a receiver on a real socket.

use super::{InvalidAuthWebhook, WebhookAuthenticator};
use crate::auth::{Authenticator, ConnectRequest, Identity, Refusal};
use crate::http::receiver::{Reaction, ReceivedRequest, Receiver, answer};
use crate::log_capture::CapturedLog;
use crate::secret::Secret;
use futures::FutureExt;
use futures::future::join_all;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const SECRET: &str = "a secret of enough bytes";

const ANA: &str = r#"{"user": {"user_id": "ana"}, "organization_id": "acme"}"#;

/// Answers with this status and these headers, and with a body.
fn with_body(head: &str, body: &str) -> Reaction {
    answer(&format!(
        "{head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn accepts(body: &str) -> Reaction {
    with_body("200 OK", body)
}

fn login(receiver: &Receiver) -> WebhookAuthenticator {
    let url = format!("http://127.0.0.1:{}/in?key=1", receiver.port);
    let builder = WebhookAuthenticator::builder(url, Secret::new(SECRET));
    let builder = builder.timeout(Duration::from_millis(300));
    builder.max_requests(1).build().unwrap()
}

async fn ask(login: &WebhookAuthenticator, token: &str) -> Result<Identity, Refusal> {
    let payload = json!({"worker_id": "w1", "auth_token": token});
    let payload = serde_json::from_value(payload).unwrap();
    let request = ConnectRequest::new("desk", payload, Arc::default(), None)?;
    login.authenticate(request).await
}

fn ana() -> Identity {
    Identity::new("ana").organization("acme")
}

#[tokio::test]
async fn token_worker_and_agent_are_sent_signed() {
    let mut receiver = Receiver::start(vec![accepts(ANA)]).await;
    let token = "a \"token\"\n\u{e9}";
    assert_eq!(ask(&login(&receiver), token).await, Ok(ana()));
    let ReceivedRequest { head, body } = receiver.next().await;
    assert!(head.starts_with("post /in?key=1 http/1.1\r\n"), "{head}");
    assert!(head.contains("x-dooers-signature: t="), "{head}");
    let expected = json!({"token": token, "agent": "desk", "worker_id": "w1"});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn refusal_has_the_text_of_the_receiver() {
    let standard = "the token was refused; log in again";
    let long = format!(r#"{{"message": "{}"}}"#, "é".repeat(600));
    for (reaction, expected) in [
        (answer("401 No"), standard),
        (
            with_body("403 No", r#"{"message": "your account is closed"}"#),
            "your account is closed",
        ),
        (with_body("403 No", r#"{"message": " "}"#), standard),
        (with_body("401 No", "<html>"), standard),
        (with_body("401 No", &long), &"é".repeat(500)),
    ] {
        let receiver = Receiver::start(vec![reaction]).await;
        let refused = ask(&login(&receiver), "t").await;
        assert_eq!(refused, Err(Refusal::unauthorized(expected)));
    }
}

#[tokio::test]
async fn anything_else_refuses_and_is_logged() {
    let huge = format!(
        r#"{{"user": {{"user_id": "a"}}, "claims": "{}"}}"#,
        "x".repeat(70_000)
    );
    let nested = format!(
        r#"{{"user": {{"user_id": "a"}}, "claims": {{"c": {}}}}}"#,
        "[".repeat(30_000)
    );
    let beyond = format!(r#"{{"user": {{"user_id": "{}"}}}}"#, "a".repeat(200));
    for (reaction, expected) in [
        (
            answer("500 Oh"),
            "the receiver answered 500 Internal Server Error; 200 accepts a token, 401 and 403 refuse it, and redirects are not followed",
        ),
        (answer("204 No"), "the receiver answered 204 No Content"),
        (
            answer("302 Found\r\nLocation: /in"),
            "the receiver answered 302 Found",
        ),
        (Reaction::Hang, "the receiver did not answer within 300ms"),
        (Reaction::Close, "the receiver closed the connection"),
        (
            answer("200 OK\r\nContent-Length: 50\r\n\r\n{"),
            "the receiver closed the connection",
        ),
        (accepts("ok"), "the answer is not the JSON of an identity"),
        (accepts("[]"), "the answer is not the JSON of an identity"),
        (accepts(""), "the answer is not the JSON of an identity"),
        (
            accepts("{}"),
            "the identity in the answer has no `user.user_id`, which must not be empty",
        ),
        (
            accepts(r#"{"user": {"user_id": "\u2060 "}}"#),
            "`user.user_id` has no visible character",
        ),
        (
            accepts(r#"{"user": {"user_id": "ana"}, "organization_id": " "}"#),
            "`organization_id` has no visible character",
        ),
        (
            accepts(r#"{"user": {"id": "ana"}}"#),
            "the identity in the answer has no `user.user_id`",
        ),
        (
            accepts(r#"{"user": {"user_id": "ana"}, "worker": ["w"]}"#),
            "the identity in the answer has the unknown member `worker`",
        ),
        (
            accepts(r#"{"user": {"user_id": "ana"}, "workers": "w"}"#),
            "the answer is not the JSON of an identity",
        ),
        (
            accepts(r#"{"user": {"user_id": "ana"}, "expires_at": "soon"}"#),
            "the answer is not the JSON of an identity",
        ),
        (
            accepts(&nested),
            "the answer is not the JSON of an identity",
        ),
        (
            answer("200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"),
            "the receiver closed the connection or did not answer in HTTP",
        ),
        (
            accepts(&beyond),
            "the identity in the answer cannot be used",
        ),
        (
            accepts(&huge),
            "the answer of the receiver has more than 65536 bytes",
        ),
    ] {
        let receiver = Receiver::start(vec![reaction]).await;
        let (log, _guard) = CapturedLog::start();
        let refused = ask(&login(&receiver), "the token").await;
        assert_eq!(refused, Err(Refusal::cannot_authenticate()), "{expected}");
        let log = log.text();
        assert!(log.contains(expected), "{expected}: {log}");
        assert!(
            !log.contains("the token") && !log.contains("key=1") && !log.contains(SECRET),
            "{log}"
        );
    }
}

#[tokio::test]
async fn decision_is_kept_as_the_answer_allows() {
    let past = r#"{"user": {"user_id": "ana"}, "expires_at": "2020-01-01T00:00:00Z"}"#;
    let kept = "200 OK\r\nCache-Control: private, max-age=60";
    let mut receiver = Receiver::start(vec![
        with_body(kept, ANA),
        accepts(ANA),
        accepts(ANA),
        with_body(kept, past),
        with_body(kept, past),
        answer("401 No"),
        answer("500 Oh"),
        accepts(ANA),
    ])
    .await;
    let login = login(&receiver);
    for token in [
        "kept", "kept", "new", "new", "past", "past", "bad", "bad", "down", "down",
    ] {
        let _ = ask(&login, token).await;
    }
    for expected in ["kept", "new", "new", "past", "past", "bad", "down", "down"] {
        assert_eq!(receiver.next().await.body["token"], expected);
    }
}

#[tokio::test]
async fn concurrent_lookups_of_a_token_are_one_request() {
    let mut receiver = Receiver::start(vec![accepts(ANA), answer("401 No")]).await;
    let login = login(&receiver);
    let answers = join_all((0..10).map(|_| ask(&login, "one"))).await;
    assert_eq!(answers, vec![Ok(ana()); 10]);
    ask(&login, "two").await.unwrap_err();
    assert_eq!(receiver.next().await.body["token"], "one");
    assert_eq!(receiver.next().await.body["token"], "two");
}

#[tokio::test]
async fn requests_above_the_limit_wait() {
    let receiver = Receiver::start(vec![Reaction::Hang, accepts(ANA)]).await;
    let login = login(&receiver);
    let ended = std::sync::Mutex::new(Vec::new());
    let end = |name: &'static str| {
        let ended = &ended;
        ask(&login, name).map(move |_| ended.lock().unwrap().push(name))
    };
    tokio::join!(end("hangs"), end("waits"));
    assert_eq!(*ended.lock().unwrap(), ["hangs", "waits"]);
}

#[tokio::test]
async fn request_that_nobody_awaits_is_cancelled() {
    let mut receiver = Receiver::start(vec![Reaction::Hang, accepts(ANA)]).await;
    let login = login(&receiver);
    tokio::select! {
        _ = ask(&login, "t") => panic!("the receiver hangs"),
        _ = receiver.next() => {}
    }
    // The permit is free again, and the new request is another one.
    assert_eq!(ask(&login, "t").await, Ok(ana()));
}

#[tokio::test]
async fn missing_token_asks_nobody() {
    let login = WebhookAuthenticator::builder("http://127.0.0.1:1/", Secret::new(SECRET));
    let login = login.build().unwrap();
    let payload = serde_json::from_value(json!({"worker_id": "w1"})).unwrap();
    let request = ConnectRequest::new("desk", payload, Arc::default(), None).unwrap();
    let refused = login.authenticate(request).await;
    assert_eq!(refused, Err(Refusal::no_token()));
}

#[test]
fn configuration_that_leaks_tokens_is_refused() {
    let build = |url: &str, secret: &str| {
        let builder = WebhookAuthenticator::builder(url, Secret::new(secret));
        builder.build().map(|login| format!("{login:?}"))
    };
    assert_eq!(
        build("https://login.example.com/path", SECRET).unwrap(),
        "WebhookAuthenticator { url: `https://login.example.com`, .. }"
    );
    for (url, secret, expected) in [
        ("login", SECRET, InvalidAuthWebhook::Url),
        (
            "https://a:b@login.example.com",
            SECRET,
            InvalidAuthWebhook::Password,
        ),
        (
            "http://login.example.com",
            SECRET,
            InvalidAuthWebhook::NotEncrypted,
        ),
        ("https://10.0.0.1", SECRET, InvalidAuthWebhook::Private),
        (
            "https://login.example.com",
            "short",
            InvalidAuthWebhook::Secret,
        ),
    ] {
        assert_eq!(build(url, secret), Err(expected), "{url}");
    }
}
