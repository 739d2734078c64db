//! Turns that wait in one process, and answers that another process stores. Two servers on one store act as two processes.

use super::{answer, ask, asking, closed, end, expect_conflict, next_form};
use crate::asserts::{appended, texts};
use dooers::WorkerServer;
use dooers::store::Store;
use dooers_tests::{Server, SpyStore, in_memory};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server that renews its leases three times in this many milliseconds.
async fn process(store: &Arc<SpyStore>, milliseconds: u64) -> Server {
    let config = in_memory()
        .lease(Duration::from_millis(milliseconds))
        .secret_keys(KEY.parse().unwrap())
        .store(Arc::clone(store) as Arc<dyn Store>);
    Server::start(WorkerServer::new(config).agent::<asking>()).await
}

#[tokio::test]
async fn answer_of_another_process_is_found() {
    let store = SpyStore::memory();
    let running = process(&store, 600).await;
    let other = process(&store, 3_600_000).await;
    let mut ada = running.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "password\nask").await;
    let mut ben = other.client("ben").await;
    let secret = answer(
        &thread_id,
        &form,
        &json!({"name": "Ben", "pin": "open-sesame"}),
    );
    ben.send_expecting_ack("event.create", secret).await;
    let form = next_form(&mut ada).await;
    let mut eve = running.client("eve").await;
    let snapshot = eve.subscribe(&thread_id).await;
    let events = snapshot["events"].as_array().unwrap();
    let expected = r#"answered {"name":"Ben","pin":"open-sesame"}"#;
    assert!(texts(events).contains(&expected), "{events:?}");
    // The store forgets the first question when the handler asks the second one.
    let cancelled = json!({"form_event_id": form["id"], "cancelled": true});
    let cancelled = super::response(&thread_id, &cancelled);
    ben.send("event.create", cancelled).await;
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "succeeded");
    assert!(texts(&events).contains(&"Dismissed"), "{events:?}");
    running.close([ada, eve]).await;
    other.close([ben]).await;
}

#[tokio::test]
async fn lost_response_to_an_answer_is_found() {
    let store = SpyStore::memory();
    let server = process(&store, 600).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    store.lose("begin_turn");
    let sent = answer(&thread_id, &form, &json!({"size": "L"}));
    let code = ada.send_expecting_error("event.create", sent).await;
    assert_eq!(code, "OVERLOADED");
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "succeeded");
    assert!(
        texts(&events).contains(&r#"answered {"size":"L"}"#),
        "{events:?}"
    );
    server.close([ada]).await;
}

#[tokio::test]
async fn turn_that_lost_its_lease_cannot_be_answered() {
    let store = SpyStore::memory();
    let frozen = process(&store, 400).await;
    let living = process(&store, 400).await;
    let mut ada = frozen.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    // The process does not learn that its leases were renewed, and the other one takes over when they end.
    let mut held = store.hold("renew_leases");
    held.reached().await;
    let mut ben = living.client("ben").await;
    let snapshot = ben.subscribe(&thread_id).await;
    let mut events = snapshot["events"].as_array().unwrap().clone();
    let is_closed = |event: &Value| event["data"]["asked"]["closed"] == true;
    while !events.iter().any(is_closed) {
        events.extend(appended(&[ben.next().await]));
    }
    closed(&events, &form);
    ben.read_pending().await;
    expect_conflict(&mut ben, &thread_id, &form).await;
    held.release();
    frozen.close([ada]).await;
    living.close([ben]).await;
}
