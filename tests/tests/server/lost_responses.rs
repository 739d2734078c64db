//! Changes that are stored although their responses are lost.

use crate::agents::script;
use crate::asserts::{appended, events, seqs, texts};
use crate::streaming::{begin, client_with_deltas, pen};
use dooers_tests::{Server, SpyStore, ThreadView, gate};
use serde_json::Value;
use std::sync::Arc;

#[tokio::test]
async fn write_with_a_lost_response_is_not_repeated() {
    let store = SpyStore::memory();
    let server = Server::with::<pen>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = client_with_deltas(&server, "ada").await;
    store.lose("write_turn");
    let thread_id = begin(
        &mut client,
        "say First\nbegin\npush Hello\nwait text-lost\npush , world\nfinish",
    )
    .await;
    gate::arrived("text-lost").await;
    let mut view = ThreadView::default();
    let has_text = |frame: &Value| frame.to_string().contains(r#""text":"Hello""#);
    let mut frames = client.read_until("the text", has_text).await;
    gate::open("text-lost");
    frames.append(&mut client.read_turn().await);
    for frame in &frames {
        match frame["type"].as_str() {
            Some("event.append") => {
                for event in events(&frame["payload"]) {
                    view.append(&event);
                }
            }
            Some("event.delta") => view.delta(&frame["payload"]),
            _ => {}
        }
    }
    let snapshot = events(&client.subscribe(&thread_id).await);
    assert_eq!(texts(&snapshot)[1..], ["First", "Hello, world"]);
    assert_eq!(seqs(&snapshot), [1, 2, 3]);
    assert_eq!(texts(&view.events), texts(&snapshot));
    server.close([client]).await;
}

#[tokio::test]
async fn next_turn_runs_if_its_claim_response_is_lost() {
    let store = SpyStore::memory();
    let server = Server::with::<script>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "wait lost-next\nsay one").await;
    client.expect_ack(&id).await;
    let created = client.expect("thread.upsert").await;
    let thread_id = created["thread"]["id"].as_str().unwrap().to_owned();
    gate::arrived("lost-next").await;
    let id = client.send_message(Some(&thread_id), "say two").await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
    client.read_until("the ack", is_ack).await;
    // The first turn ends and the second one is claimed, but the process receives neither response.
    store.lose("finish_turn");
    gate::open("lost-next");
    let is_two = |frame: &Value| {
        appended(std::slice::from_ref(frame))
            .iter()
            .any(|event| event["content"][0]["text"] == "two")
    };
    client.read_until("the second answer", is_two).await;
    client.read_turn().await;
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(
        texts(&events(&snapshot)),
        ["wait lost-next\nsay one", "say two", "one", "two"]
    );
    for run in snapshot["runs"].as_array().unwrap() {
        assert_eq!(run["status"], "succeeded");
    }
    server.close([client]).await;
}
