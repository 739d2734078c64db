//! Tokens that a server of the operator decides about.

use crate::agents::echo;
use crate::asserts::without_error_id;
use axum::Router;
use axum::extract::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use dooers::auth::WebhookAuthenticator;
use dooers::{Secret, WorkerServer};
use dooers_tests::{Server, in_memory};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn decide(headers: HeaderMap, Json(question): Json<Value>) -> Response {
    assert!(headers.contains_key("x-dooers-signature"));
    assert_eq!(question["agent"], "echo");
    assert_eq!(question["worker_id"], "w1");
    match question["token"].as_str().unwrap() {
        "good" => {
            let user = json!({"user_id": "ana", "user_name": "Ana"});
            Json(json!({"user": user, "organization_id": "acme"})).into_response()
        }
        "closed" => {
            let body = json!({"message": "your account is closed"});
            (StatusCode::FORBIDDEN, Json(body)).into_response()
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[tokio::test]
async fn webhook_decides_about_tokens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(decide));
    let receiver = tokio::spawn(async move { axum::serve(listener, router).await });
    let webhook = WebhookAuthenticator::builder(url, Secret::new("0123456789abcdef"));
    let worker = WorkerServer::new(in_memory()).agent::<echo>();
    let server = Server::start(worker.authenticator(webhook.build().unwrap())).await;
    let mut client = server.open().await;
    for (token, expected) in [
        (
            "closed",
            json!({"code": "UNAUTHORIZED", "message": "your account is closed"}),
        ),
        (
            "broken",
            json!({
                "code": "OVERLOADED",
                "message": "the server cannot authenticate clients now; try again later",
                "retry_after_ms": 1000,
            }),
        ),
        ("good", Value::Null),
    ] {
        let payload = json!({"worker_id": "w1", "auth_token": token, "user": {"user_id": "eve"}});
        let ack = client.request("connect", payload, "ack").await;
        let error = ack["error"].clone();
        let error = if token == "broken" {
            without_error_id(error)
        } else {
            error
        };
        assert_eq!(error, expected);
    }
    let id = client.send_message(None, "hello").await;
    client.expect_ack(&id).await;
    let thread = client.expect("thread.upsert").await;
    assert_eq!(thread["thread"]["owner"]["user_name"], "Ana");
    assert_eq!(thread["thread"]["organization_id"], "acme");
    receiver.abort();
    server.close([client]).await;
}
