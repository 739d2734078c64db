//! The example that takes messages from webhooks and web pages in addition to the WebSocket.

use dooers_tests::Process;
use dooers_tests::{Client, Identity, get, post};
use serde_json::{Value, json};

/// Parses server-sent events into names and data.
fn sent_events(body: &str) -> Vec<(&str, &str)> {
    let mut events = Vec::new();
    let mut name = "";
    for line in body.lines() {
        if let Some(event) = line.strip_prefix("event: ") {
            name = event;
        } else if let Some(data) = line.strip_prefix("data:") {
            events.push((name, data.strip_prefix(' ').unwrap_or(data)));
        }
    }
    events
}

#[tokio::test]
async fn dispatch_serves_webhooks_pages_and_clients() {
    let mut example = Process::start("example-dispatch", &[("WORKER_BIND", "127.0.0.1:0")]);
    let address = example.address();
    let mut ada = Client::open(address, "/ws").await;
    let identity = Identity::of("ada")
        .with("organization_id", "")
        .with("workspace_id", "");
    ada.connect(identity).await;

    let call = json!({"id": "call-1", "user": "ada", "text": "hello"});
    let (status, body) = post(address, "/webhook", &call).await;
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["text"], "You said: hello");
    let thread = answer["thread"].as_str().unwrap();
    // The new thread was published to the connected client.
    let published = ada.expect("thread.upsert").await;
    assert_eq!(published["thread"]["id"], thread);

    // A repeated request is the same dispatch.
    let (status, again) = post(address, "/webhook", &call).await;
    assert_eq!((status, again), (200, body.clone()));
    let other = json!({"id": "call-1", "user": "ada", "text": "something else"});
    assert_eq!(post(address, "/webhook", &other).await.0, 409);
    let bad = json!({"user": "ada", "text": "x", "thread": "t".repeat(200)});
    let (status, refusal) = post(address, "/webhook", &bad).await;
    assert_eq!(status, 422, "{refusal}");

    ada.read_pending().await;
    let snapshot = ada.subscribe(thread).await;
    assert_eq!(snapshot["events"].as_array().unwrap().len(), 2);
    let path = format!("/ask?user=ada&thread={thread}&text=tell%20me%20more");
    let (status, body) = get(address, &path).await;
    assert_eq!(status, 200, "{body}");
    let events = sent_events(&body);
    assert_eq!(events.first(), Some(&("thread", thread)), "{body}");
    assert_eq!(events.last(), Some(&("end", "done")), "{body}");
    let deltas = events.iter().filter(|(name, _)| *name == "delta");
    assert!(deltas.count() > 1, "it grows: {body}");
    let (_, message) = events[events.len() - 2];
    let message: Value = serde_json::from_str(message).unwrap();
    assert_eq!(message["content"][0]["text"], "You said: tell me more");

    let frames = ada.read_turn().await;
    let asked = &frames[0]["payload"]["events"][0];
    assert_eq!(asked["content"][0]["text"], "tell me more");
    ada.disconnect().await;
    example.terminate();
    let (status, _, errors) = example.wait();
    assert_eq!(status, Some(0), "{errors}");
}
