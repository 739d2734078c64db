//! Analytics events that a server sends to a webhook.

use crate::agents::script;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use dooers::{AnalyticsWebhook, Secret};
use dooers_tests::{Server, within};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A receiver that confirms all batches. Returns its URL, and the batches.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (received, batches) = mpsc::unbounded_channel();
    let receive = move |headers: HeaderMap, body: Bytes| async move {
        assert!(headers.contains_key("x-dooers-signature"));
        received
            .send(serde_json::from_slice(&body).unwrap())
            .unwrap();
        StatusCode::NO_CONTENT
    };
    let router = Router::new().route("/", post(receive));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, batches)
}

#[tokio::test]
async fn events_of_a_turn_are_sent_when_the_server_stops() {
    let (url, mut batches) = receiver().await;
    let server = Server::with::<script>(|config| {
        let webhook = AnalyticsWebhook::builder(url, Secret::new("0123456789abcdef"));
        let webhook = webhook.max_age(Duration::from_secs(3600)).build().unwrap();
        let disabled = "tool.called, message.s2c".parse().unwrap();
        config
            .analytics_webhook(webhook)
            .disabled_analytics_events(disabled)
    })
    .await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "say secret\nfail secret").await;
    client.expect_ack(&id).await;
    client.read_turn().await;
    server.close([client]).await;
    let batch = within("a batch", batches.recv()).await.unwrap();
    let events = batch["events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| &event["event"]).collect();
    let expected = [
        "thread.created",
        "message.c2s",
        "error.occurred",
        "run.finished",
    ];
    assert_eq!(json!(names), json!(expected));
    assert!(events.iter().all(|event| event["user_id"] == "ada"));
    assert!(!batch.to_string().contains("secret"), "{batch}");
}
